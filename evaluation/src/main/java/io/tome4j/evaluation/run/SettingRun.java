package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.diffusion.StepListener.Progress;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.tensor.OptionException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Makes images with savings of time, and takes their times; what the pipeline is patched with does not count. */
public final class SettingRun {
    private final StableDiffusionPipeline pipeline;
    private final StepListener listener;

    /** @param listener told of each step; may stop a run, which then ends with a {@code CancellationException} */
    public SettingRun(StableDiffusionPipeline pipeline, StepListener listener) {
        this.pipeline = pipeline;
        this.listener = listener;
    }

    /**
     * What savings would merge in a request.
     *
     * @throws IllegalArgumentException if they merge, and that is nothing
     */
    public PatchReport report(Request request, Savings savings) {
        return ToMe.report(pipeline, savings.merging(), request.latentGrid(pipeline.nominalGrid()));
    }

    /**
     * Makes one step of each kind that there will be and throws them away, so that no image pays for what only a first step
     * has to do: a step that computes all, one that reuses, one without guidance.
     */
    public void warmUp(Request request, Savings savings) {
        Request warm = savings.applyTo(request);
        boolean guidedThroughout = warm.guidanceFrom() == 0 && warm.guidanceTo() == 1;
        Request first = warm.steps(warm.leavesOutWork() ? 2 : 1);
        pipeline.generate(guidedThroughout ? first : first.guidanceInterval(0.5, 1), this::goesOn);
    }

    /** Warms up without any savings, with the first of each method and mode, and each way to change the request. */
    public void warmUpEachKind(Request request, List<Savings> savings) {
        Map<String, Savings> kinds = new LinkedHashMap<>();
        kinds.put("unmerged", Savings.NONE);
        savings.forEach(each -> kinds.putIfAbsent(
                each.merging().method() + " " + each.merging().mode() + " " + each.changesLabel(), each));
        kinds.values().forEach(each -> warmUp(request, each));
    }

    /** The warm-up's step is none of those that are shown. */
    private boolean goesOn(Progress progress) {
        return listener.onStep(new Progress(
                0, progress.total(), progress.timestep(), progress.latents(), progress.original(), progress.elapsed()));
    }

    /** Makes a request's image. */
    public Made make(Request request, Savings savings) {
        return make(savings.applyTo(request), listener, Optional::empty);
    }

    /**
     * Makes a request's image, and records which tokens one block merges in one step.
     *
     * @param place where; where a step leaves the block out, the next one that does not counts
     * @throws OptionException if the model has no such block
     */
    public Made make(Request request, Savings savings, MapPlace place) {
        MergeRecorder recorder = MergeRecorder.of(pipeline, place, listener);
        return make(savings.applyTo(request), recorder, () -> recorder.maps().stream()
                .findFirst());
    }

    private Made make(Request request, StepListener told, Supplier<Optional<MergeMap>> map) {
        long start = System.nanoTime();
        Result result = pipeline.generate(request, told);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        return new Made(result, result.image().toBufferedImage(), Times.of(result.timings()), took, map.get());
    }
}
