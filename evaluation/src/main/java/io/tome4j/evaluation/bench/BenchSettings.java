package io.tome4j.evaluation.bench;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import java.util.HashSet;
import java.util.List;

/**
 * What to measure.
 *
 * @param model what the model is called in results
 * @param randomWeights whether its weights are random
 * @param placement where and in what to compute
 * @param resolutions rows and columns of the images in pixels, multiples of 8
 * @param batches images made at a time, at least 1
 * @param variants which columns of the table
 * @param ratios shares of tokens to merge away, from 0 to 1
 * @param merging all other options of merging; its ratio is not looked at
 * @param steps consecutive denoising steps that are timed together, at least 1; where steps share features as many more as
 *     fill an interval
 * @param repeats how many times each cell is timed, at least 1
 */
public record BenchSettings(
        String model,
        boolean randomWeights,
        Placement placement,
        List<Integer> resolutions,
        List<Integer> batches,
        List<Variant> variants,
        List<Double> ratios,
        ToMeOptions merging,
        int steps,
        int repeats) {
    /** Pixels along one side of a latent's place. */
    static final int PIXELS_PER_LATENT = 8;

    private static final int LARGEST = 1 << 13;

    /**
     * @throws IllegalArgumentException if a value is out of its range, a list empty or something in it twice; the message
     *     names it
     */
    public BenchSettings {
        resolutions = unique("resolutions", resolutions);
        batches = unique("batches", batches);
        variants = unique("variants", variants);
        ratios = unique("ratios", ratios);
        for (int resolution : resolutions) {
            if (resolution < PIXELS_PER_LATENT || resolution % PIXELS_PER_LATENT != 0 || resolution > LARGEST) {
                throw new OptionException("{resolutions} has " + resolution
                        + ": each must be a multiple of 8 from 8 to " + LARGEST + ", such as 512");
            }
        }
        for (int batch : batches) {
            requireAtLeast1("{batches} has", batch);
        }
        for (double ratio : ratios) {
            if (!(ratio >= 0 && ratio <= 1)) {
                throw new OptionException(
                        "{ratios} has " + ratio + ": it is the share of tokens to merge away, from 0 to 1");
            }
        }
        requireAtLeast1("{steps} is", steps);
        requireAtLeast1("{repeats} is", repeats);
    }

    /** The same with merging as it is carried out on a model. */
    BenchSettings resolvedFor(BenchModel benched) {
        return new BenchSettings(
                model,
                randomWeights,
                placement,
                resolutions,
                batches,
                variants,
                ratios,
                UNetWork.resolved(merging, benched.config()),
                steps,
                repeats);
    }

    private static void requireAtLeast1(String what, int value) {
        if (value < 1) {
            throw new OptionException(what + " " + value + ": it must be at least 1");
        }
    }

    private static <T> List<T> unique(String name, List<T> values) {
        if (values.isEmpty()) {
            throw new OptionException("{" + name + "} is empty: name at least one");
        }
        if (new HashSet<>(values).size() < values.size()) {
            throw new OptionException("{" + name + "} has something twice: " + values);
        }
        return List.copyOf(values);
    }
}
