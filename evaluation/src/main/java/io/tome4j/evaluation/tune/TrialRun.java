package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.Quantiles;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes the images of settings and measures them; keeps the unmerged ones to compare with. */
final class TrialRun {
    private final SettingRun run;
    private final List<Request> requests;
    private final Tuning.Listener listener;
    private final List<BufferedImage> unmerged = new ArrayList<>();
    private int number;

    TrialRun(StableDiffusionPipeline pipeline, List<Request> requests, Tuning.Listener listener) {
        this.run = new SettingRun(pipeline, listener);
        this.requests = requests;
        this.listener = listener;
    }

    /** @throws IllegalArgumentException if nothing would be merged */
    void requireMerging(ToMeOptions options) {
        run.report(requests.get(0), Savings.of(options));
    }

    /** Makes an image of each prompt, after warming up. */
    Trial measure(Savings savings) {
        listener.onTrial(++number, savings);
        run.warmUp(requests.get(0), savings);
        double[] seconds = new double[requests.size()];
        double[] ssim = new double[requests.size()];
        for (int i = 0; i < seconds.length; i++) {
            Made made = run.make(requests.get(i), savings);
            seconds[i] = made.times().total();
            if (savings.isNone()) {
                unmerged.add(made.image());
            }
            ssim[i] = savings.isNone() ? 1 : ImageMeasure.SSIM.between(unmerged.get(i), made.image());
        }
        Trial trial = new Trial(
                savings,
                Quantiles.median(seconds),
                Arrays.stream(ssim).average().orElseThrow(),
                Arrays.stream(ssim).min().orElseThrow());
        listener.onResult(trial);
        return trial;
    }
}
