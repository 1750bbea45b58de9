package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
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

    private static final int TRIALS_BETWEEN_LOOKS = 3;

    /** Told how far the search has come; may stop it. */
    public interface Listener extends StepListener {
        /**
         * Called before each setting's first step.
         *
         * @param number from 1
         * @param savings the setting
         */
        void onTrial(int number, Savings savings);

        /** Called before the first image without savings is made again, to see whether the machine has become slower. */
        void onBaselineAgain();

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
     * Searches. What takes no time is not measured: images that the store has, and merging that merges nothing at the size
     * that is drawn.
     *
     * @param store keeps the images, so that a search that was stopped goes on after them
     * @return what was found, too, if the listener stopped the search after something was measured
     * @throws IllegalArgumentException if a method would merge nothing at any size
     * @throws CancellationException if the listener stopped the search before
     */
    public TuneResult run(StableDiffusionPipeline pipeline, ResultStore store, Listener listener) {
        TokenGrid grid = requests.get(0).latentGrid(pipeline.nominalGrid());
        List<Request> sized = requests.stream()
                .map(request -> request.size(
                        grid.width() * Request.PIXELS_PER_LATENT, grid.height() * Request.PIXELS_PER_LATENT))
                .toList();
        List<Savings> kinds = methods.stream().map(Savings::of).toList();
        TrialRun run = new TrialRun(pipeline, sized, kinds, store, listener);
        methods.forEach(run::requireMerging);
        return search(run, levels(pipeline), System::nanoTime);
    }

    private static SortedSet<Integer> levels(StableDiffusionPipeline pipeline) {
        return pipeline.mergeableBlocks().stream()
                .map(MergeableBlock::downsample)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * The search with any way to measure.
     *
     * @param levels how much smaller than the latents the feature maps are that the model's blocks have
     * @param nanoTime the clock
     */
    TuneResult search(Measuring measuring, SortedSet<Integer> levels, LongSupplier nanoTime) {
        List<Trial> measured = new ArrayList<>();
        Drift drift = new Drift();
        try {
            boolean complete = search(measuring, levels, nanoTime, measured, drift);
            drift.look(measured.size(), measuring);
            return TuneResult.of(goal, measured, drift, complete);
        } catch (CancellationException e) {
            if (measured.isEmpty()) {
                throw e;
            }
            return TuneResult.of(goal, measured, drift, false);
        }
    }

    /**
     * @param measured gets each trial when it is done
     * @param drift gets how the machine changes meanwhile
     * @return whether the search came to its end within the budget
     */
    private boolean search(
            Measuring measuring, SortedSet<Integer> levels, LongSupplier nanoTime, List<Trial> measured, Drift drift) {
        long start = nanoTime.getAsLong();
        TuneSearch search = new TuneSearch(goal, requests.get(0), methods, levels);
        measured.add(measuring.measure(Savings.NONE));
        drift.look(1, measuring);
        long baseline = nanoTime.getAsLong() - start;
        long longest = baseline;
        List<Trial> known = new ArrayList<>(measured);
        Optional<Savings> next = search.next(known);
        while (next.isPresent()) {
            Savings wanted = next.get();
            Savings effective =
                    !wanted.merges() || measuring.merges(wanted) ? wanted : wanted.merging(ToMeOptions.NONE);
            Optional<Trial> same = TuneSearch.find(effective, known);
            if (same.isPresent()) {
                known.add(same.get().of(wanted)); // nothing would be merged: it is as the setting without
            } else {
                long begun = nanoTime.getAsLong();
                if (measured.size() > 1 && begun - start + longest + baseline > budget.toNanos()) {
                    return false;
                }
                measured.add(measuring.measure(effective));
                known.add(measured.get(measured.size() - 1));
                longest = Math.max(longest, nanoTime.getAsLong() - begun);
                if (measured.size() - drift.lastMarked() >= TRIALS_BETWEEN_LOOKS) {
                    drift.look(measured.size(), measuring);
                }
            }
            next = search.next(known);
        }
        return true;
    }
}
