package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMeOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Tries settings, of merging, of the reuse of features and of the interval of guidance together, until one is found that
 * reaches a goal.
 *
 * @param goal what is to be reached
 * @param requests what to draw with each setting, one image each
 * @param methods the settings of merging to start from, of whatever ratio
 * @param budget how long to measure; what runs is not cut off, and at least one setting is tried
 */
public record Tuning(TuneGoal goal, List<Request> requests, List<ToMeOptions> methods, Duration budget) {

    /** Told how far the search has come; may stop it. */
    public interface Listener extends StepListener {
        /**
         * Called before each setting's first step.
         *
         * @param number from 1
         * @param savings the setting
         */
        void onTrial(int number, Savings savings);

        /** Called when a setting was measured. */
        void onResult(Trial trial);
    }

    public Tuning {
        requests = List.copyOf(requests);
        methods = List.copyOf(methods);
        if (requests.isEmpty() || methods.isEmpty()) {
            throw new IllegalArgumentException("Tuning needs a prompt and a method");
        }
        requests.stream().filter(request -> request.images() != 1).findFirst().ifPresent(request -> {
            throw new IllegalArgumentException("Tuning is of one image a prompt, not of " + request.images());
        });
    }

    /**
     * Searches.
     *
     * @throws IllegalArgumentException if a method would merge nothing
     * @throws CancellationException if the listener stopped the search
     */
    public TuneResult run(StableDiffusionPipeline pipeline, Listener listener) {
        TrialRun run = new TrialRun(pipeline, requests, listener);
        methods.forEach(run::requireMerging);
        return search(run::measure, levels(pipeline), System::nanoTime);
    }

    private static SortedSet<Integer> levels(StableDiffusionPipeline pipeline) {
        return pipeline.mergeableBlocks().stream()
                .map(MergeableBlock::downsample)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * The search with any way to measure.
     *
     * @param measurer from a setting
     * @param levels how much smaller than the latents the feature maps are that the model's blocks have
     * @param nanoTime the clock
     */
    TuneResult search(Function<Savings, Trial> measurer, SortedSet<Integer> levels, LongSupplier nanoTime) {
        long start = nanoTime.getAsLong();
        TuneSearch search = new TuneSearch(goal, requests.get(0), methods, levels);
        List<Trial> trials = new ArrayList<>();
        trials.add(measurer.apply(Savings.NONE));
        long longest = nanoTime.getAsLong() - start;
        Optional<Savings> next = search.next(trials);
        while (next.isPresent()) {
            long begun = nanoTime.getAsLong();
            if (trials.size() > 1 && begun - start + longest > budget.toNanos()) {
                return TuneResult.of(goal, trials, false);
            }
            trials.add(measurer.apply(next.get()));
            longest = Math.max(longest, nanoTime.getAsLong() - begun);
            next = search.next(trials);
        }
        return TuneResult.of(goal, trials, true);
    }
}
