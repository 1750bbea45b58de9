package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener.Progress;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Makes the images of settings and measures them; keeps the unmerged ones to compare with. */
final class TrialRun implements AutoCloseable {
    private final StableDiffusionPipeline pipeline;
    private final List<Request> requests;
    private final Tuning.Listener listener;
    private final List<BufferedImage> unmerged = new ArrayList<>();
    private int number;

    TrialRun(StableDiffusionPipeline pipeline, List<Request> requests, Tuning.Listener listener) {
        this.pipeline = pipeline;
        this.requests = requests;
        this.listener = listener;
        ToMe.removePatch(pipeline);
    }

    /** @throws IllegalArgumentException if nothing would be merged */
    void requireMerging(ToMeOptions options) {
        ToMe.report(pipeline, options, requests.get(0).latentGrid(pipeline.nominalGrid()));
    }

    /**
     * Makes an image of each prompt. One step is made and thrown away before: what only a setting's first step has to do
     * is none of its time.
     */
    Trial measure(Optional<ToMeOptions> options) {
        listener.onTrial(++number, options);
        ToMe.removePatch(pipeline);
        options.ifPresent(setting -> ToMe.applyPatch(pipeline, setting));
        pipeline.generate(requests.get(0).steps(1), this::goesOn);
        double[] seconds = new double[requests.size()];
        double[] ssim = new double[requests.size()];
        for (int i = 0; i < seconds.length; i++) {
            Result result = pipeline.generate(requests.get(i), listener);
            BufferedImage image = result.image().toBufferedImage();
            seconds[i] = seconds(result.timings());
            if (options.isEmpty()) {
                unmerged.add(image);
            }
            ssim[i] = options.isEmpty() ? 1 : ImageMeasure.SSIM.between(unmerged.get(i), image);
        }
        Trial trial = new Trial(
                options,
                median(seconds),
                Arrays.stream(ssim).average().orElseThrow(),
                Arrays.stream(ssim).min().orElseThrow());
        listener.onResult(trial);
        return trial;
    }

    /** The warm-up's step is none of those that are shown. */
    private boolean goesOn(Progress progress) {
        return listener.onStep(
                new Progress(0, progress.total(), progress.timestep(), progress.latents(), progress.elapsed()));
    }

    private static double seconds(Result.Timings timings) {
        Duration all = timings.steps().stream().reduce(timings.textEncoding(), Duration::plus);
        return all.plus(timings.decoding()).toNanos() / 1e9;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    @Override
    public void close() {
        ToMe.removePatch(pipeline);
    }
}
