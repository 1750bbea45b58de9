package io.tome4j.diffusion;

import java.util.BitSet;
import java.util.TreeSet;

/**
 * In which steps the denoiser computes all of itself, and in which it reuses deep features of the last that did (DeepCache,
 * arXiv 2312.00858, section 3.3).
 *
 * @param every how many steps share the features of one; 1 reuses nothing
 * @param branch where the features are cut off, as {@link Denoiser#reuse} takes it
 * @param spacing how the full passes lie among the steps
 * @param center for {@link Spacing#NONUNIFORM}: where they are densest, as a share of the steps
 * @param power for {@link Spacing#NONUNIFORM}: how much denser they are there, from 1, which is uniform, to 2
 */
public record ReuseSchedule(int every, int branch, Spacing spacing, double center, double power) {
    /** How full passes lie among the steps. */
    public enum Spacing {
        /** Every so many steps. */
        UNIFORM,
        /** As many of them, but denser around a center. */
        NONUNIFORM
    }

    /** By so much a power is lowered until it gives as many full passes as are wanted. */
    private static final double LOWERED = 0.02;

    /** Uniform, with the branch that saves most. */
    public static ReuseSchedule every(int steps) {
        return new ReuseSchedule(steps, 0, Spacing.UNIFORM, 0, 1);
    }

    /** The schedule that a request asks for. */
    static ReuseSchedule of(Request request) {
        return new ReuseSchedule(
                request.reuseEvery(),
                request.reuseBranch(),
                request.reuseSchedule(),
                request.reuseCenter(),
                request.reusePower());
    }

    /** Whether any step reuses features. */
    public boolean isOn() {
        return every > 1;
    }

    /**
     * The steps with full passes; the first is always one.
     *
     * @param steps how many steps there are
     */
    public BitSet fullPasses(int steps) {
        if (spacing == Spacing.NONUNIFORM && isOn()) {
            return around((int) Math.round(center * steps), steps);
        }
        BitSet full = new BitSet(steps);
        for (int step = 0; step < steps; step += every) {
            full.set(step);
        }
        return full;
    }

    /**
     * Numbers at even distances are raised to a power, which gathers them around 0, the center. Of the complex ones, which
     * numbers below 0 have for roots, the real part counts, as in the paper's code. Where several fall on the same step
     * there would be too few passes, so the power is lowered.
     */
    private BitSet around(int middle, int steps) {
        int wanted = (steps + every - 1) / every;
        for (double lower = power; lower > 1; lower -= LOWERED) {
            BitSet full = around(middle, steps, wanted, lower);
            if (full.cardinality() == wanted) {
                return full;
            }
        }
        return around(middle, steps, wanted, 1);
    }

    private static BitSet around(int middle, int steps, int wanted, double power) {
        double size = Math.pow(middle, 1 / power);
        double firstReal = size * Math.cos(Math.PI / power);
        double firstImaginary = size * Math.sin(Math.PI / power);
        double last = Math.pow((double) steps - middle, 1 / power);
        TreeSet<Integer> offsets = new TreeSet<>();
        for (int i = 0; i <= wanted; i++) {
            double share = (double) i / wanted;
            double real = firstReal + share * (last - firstReal);
            double imaginary = firstImaginary * (1 - share);
            offsets.add((int)
                    (Math.pow(Math.hypot(real, imaginary), power) * Math.cos(power * Math.atan2(imaginary, real))));
        }
        offsets.pollFirst(); // the first step itself
        offsets.pollLast(); // the end
        BitSet full = new BitSet(steps);
        full.set(0);
        offsets.stream().map(offset -> middle + offset).filter(step -> step > 0).forEach(full::set);
        return full;
    }
}
