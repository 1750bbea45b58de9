package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.diffusion.StepListener.Progress;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Makes images with settings of merging, and takes their times; what the pipeline is patched with does not count. */
public final class SettingRun {
    private final StableDiffusionPipeline pipeline;
    private final StepListener listener;

    /** @param listener told of each step; may stop a run, which then ends with a {@code CancellationException} */
    public SettingRun(StableDiffusionPipeline pipeline, StepListener listener) {
        this.pipeline = pipeline;
        this.listener = listener;
    }

    /**
     * What a setting would merge in a request.
     *
     * @throws IllegalArgumentException if that is nothing
     */
    public PatchReport report(Request request, ToMeOptions merging) {
        return ToMe.report(pipeline, merging, request.latentGrid(pipeline.nominalGrid()));
    }

    /** Makes one step and throws it away, so that no image pays for what only a setting's first step has to do. */
    public void warmUp(Request request, ToMeOptions merging) {
        pipeline.generate(request.steps(1).merging(merging), this::goesOn);
    }

    /** Warms up without merging, and with the first setting of each method and mode. */
    public void warmUpEachKind(Request request, List<ToMeOptions> settings) {
        Map<String, ToMeOptions> kinds = new LinkedHashMap<>();
        kinds.put("unmerged", ToMeOptions.NONE);
        settings.forEach(options -> kinds.putIfAbsent(options.method() + " " + options.mode(), options));
        kinds.values().forEach(options -> warmUp(request, options));
    }

    /** The warm-up's step is none of those that are shown. */
    private boolean goesOn(Progress progress) {
        return listener.onStep(
                new Progress(0, progress.total(), progress.timestep(), progress.latents(), progress.elapsed()));
    }

    /** Makes a request's image. */
    public Made make(Request request, ToMeOptions merging) {
        return make(request.merging(merging), listener, Optional::empty);
    }

    /**
     * Makes a request's image, and records which tokens one block merges in one step.
     *
     * @throws OptionException if the model has no such block
     */
    public Made make(Request request, ToMeOptions merging, MapPlace place) {
        MergeRecorder recorder = MergeRecorder.of(pipeline, place, listener);
        return make(request.merging(merging), recorder, () -> recorder.maps().stream()
                .findFirst());
    }

    private Made make(Request request, StepListener told, Supplier<Optional<MergeMap>> map) {
        long start = System.nanoTime();
        Result result = pipeline.generate(request, told);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        return new Made(result, result.image().toBufferedImage(), Times.of(result.timings()), took, map.get());
    }
}
