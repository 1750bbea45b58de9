package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.Quantiles;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.run.ResultKey;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.ResultStore.Kept;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Makes the images of settings that the store does not have, and measures them; keeps the unmerged ones to compare with. */
final class TrialRun implements Measuring {
    private final SettingRun run;
    private final List<Request> requests;
    private final List<Savings> kinds;
    private final ResultStore store;
    private final Tuning.Listener listener;
    private final List<Kept> unmerged = new ArrayList<>();
    private boolean warm;
    private int number;

    /**
     * @param requests each with its size
     * @param kinds what the first image of all is made after a step of each of
     */
    TrialRun(
            StableDiffusionPipeline pipeline,
            List<Request> requests,
            List<Savings> kinds,
            ResultStore store,
            Tuning.Listener listener) {
        this.run = new SettingRun(pipeline, listener);
        this.requests = requests;
        this.kinds = kinds;
        this.store = store;
        this.listener = listener;
    }

    /** @throws IllegalArgumentException if nothing would be merged at any size */
    void requireMerging(ToMeOptions options) {
        run.report(requests.get(0), Savings.of(options));
    }

    @Override
    public boolean merges(Savings savings) {
        PatchReport report = run.report(requests.get(0), savings);
        return report.tokensAfter() < report.tokensBefore();
    }

    /** Makes an image of each prompt, after warming up. */
    @Override
    public Trial measure(Savings savings) {
        listener.onTrial(++number, savings);
        Runnable warmUp = new Once(() -> warmUp(savings));
        double[] seconds = new double[requests.size()];
        double[] ssim = new double[requests.size()];
        for (int i = 0; i < seconds.length; i++) {
            Kept kept = image(i, savings, "", warmUp);
            seconds[i] = kept.times().total();
            if (unmerged.size() == i) {
                unmerged.add(kept); // the first trial is that of no savings
            }
            ssim[i] = savings.isNone()
                    ? 1
                    : ImageMeasure.SSIM.between(unmerged.get(i).image(), kept.image());
        }
        Trial trial = new Trial(
                savings,
                Quantiles.median(seconds),
                Arrays.stream(ssim).average().orElseThrow(),
                Arrays.stream(ssim).min().orElseThrow());
        listener.onResult(trial);
        return trial;
    }

    @Override
    public double baselineSeconds(int time) {
        if (time == 0) {
            return unmerged.get(0).times().total();
        }
        listener.onBaselineAgain();
        Kept again = image(0, Savings.NONE, "-again-" + time, new Once(() -> warmUp(Savings.NONE)));
        return again.times().total();
    }

    /** The image of a prompt, from the store or made. */
    private Kept image(int prompt, Savings savings, String ending, Runnable warmUp) {
        ResultKey whole = ResultKey.of("", requests.get(prompt), savings);
        String setting = savings.label().replaceAll("[^a-zA-Z0-9.=-]+", "-");
        String file = String.format(
                Locale.ROOT, "images/%s-%08x-%02d%s", setting, whole.identity().hashCode(), prompt, ending);
        ResultKey key = new ResultKey(file, whole.identity(), whole.width(), whole.height());
        return store.findOrMake(key, false, () -> {
                    warmUp.run();
                    return run.make(requests.get(prompt), savings);
                })
                .kept();
    }

    /** What the process itself has to do only once must not count against the setting that is measured first. */
    private void warmUp(Savings savings) {
        if (!warm) {
            warm = true;
            run.warmUpEachKind(requests.get(0), kinds);
        }
        run.warmUp(requests.get(0), savings);
    }

    /** Does something when it is run first. */
    private static final class Once implements Runnable {
        private final Runnable what;
        private boolean done;

        Once(Runnable what) {
            this.what = what;
        }

        @Override
        public void run() {
            if (!done) {
                done = true;
                what.run();
            }
        }
    }
}
