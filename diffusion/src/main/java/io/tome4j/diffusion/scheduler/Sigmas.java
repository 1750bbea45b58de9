package io.tome4j.diffusion.scheduler;

/** Arithmetic on noise levels ({@code sigma}), the noise's standard deviation where the image's part is scaled to 1. */
final class Sigmas {
    private static final double LEAST_SIGMA = 1e-10;

    private Sigmas() {}

    /** The noise levels at timesteps that may lie between two of the schedule, by linear interpolation. */
    static double[] at(double[] timesteps, float[] schedule) {
        double[] sigmas = new double[timesteps.length];
        int last = schedule.length - 1;
        for (int i = 0; i < sigmas.length; i++) {
            double t = Math.max(0, Math.min(last, timesteps[i]));
            int low = (int) t;
            sigmas[i] = low == last
                    ? schedule[last]
                    : ((double) schedule[low + 1] - schedule[low]) * (t - low) + schedule[low];
        }
        return sigmas;
    }

    /** The timesteps at which the schedule has these noise levels, by interpolation between logarithms. */
    static double[] timestepsOf(double[] sigmas, float[] schedule) {
        float[] logs = new float[schedule.length];
        for (int t = 0; t < logs.length; t++) {
            logs[t] = (float) Math.log(schedule[t]);
        }
        double[] timesteps = new double[sigmas.length];
        for (int i = 0; i < sigmas.length; i++) {
            timesteps[i] = timestepOf(Math.log(Math.max(sigmas[i], LEAST_SIGMA)), logs);
        }
        return timesteps;
    }

    private static double timestepOf(double logSigma, float[] logs) {
        int low = 0;
        for (int t = 1; t < logs.length - 1; t++) {
            if (logs[t] <= logSigma) {
                low = t;
            }
        }
        double share = (logs[low] - logSigma) / (logs[low] - logs[low + 1]);
        share = Math.max(0, Math.min(1, share));
        return (1 - share) * low + share * (low + 1);
    }

    /** The noise that an ancestral step from one level to a lower one adds after going further down; in fp32. */
    static float ancestralUp(float from, float to) {
        return (float) Math.sqrt(to * to * (from * from - to * to) / (from * from));
    }

    /** The same values in fp32. */
    static double[] rounded(double[] values) {
        double[] rounded = new double[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) values[i];
        }
        return rounded;
    }

    /** Noise levels in fp32 with the last one appended. */
    static float[] ending(double[] sigmas, double last) {
        float[] all = new float[sigmas.length + 1];
        for (int i = 0; i < sigmas.length; i++) {
            all[i] = (float) sigmas[i];
        }
        all[sigmas.length] = (float) last;
        return all;
    }

    /** {@code count} numbers from one to the other, both included. */
    static double[] linspace(double from, double to, int count) {
        double[] values = new double[count];
        double distance = count > 1 ? (to - from) / (count - 1) : 0;
        for (int i = 0; i < count; i++) {
            values[i] = from + i * distance;
        }
        if (count > 1) {
            values[count - 1] = to;
        }
        return values;
    }
}
