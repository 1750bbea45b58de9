package io.tome4j.diffusion.scheduler;

/** The timesteps of a run and their noise levels, of which one follows from the other. */
final class SigmaCourse {
    private final double[] timesteps;
    private final double[] sigmas;

    private SigmaCourse(double[] timesteps, double[] sigmas) {
        this.timesteps = timesteps;
        this.sigmas = sigmas;
    }

    /** The course of so many steps: noise levels at evenly spaced timesteps, or timesteps at spaced noise levels. */
    static SigmaCourse of(NoiseSchedule noise, TimestepSpacing spacing, SigmaSpacing sigmaSpacing, int steps) {
        return at(spacing.continuous(noise.timesteps(), steps), noise, sigmaSpacing);
    }

    /** The course of given timesteps, or with as many spaced noise levels between the first and the last of theirs. */
    static SigmaCourse at(double[] timesteps, NoiseSchedule noise, SigmaSpacing sigmaSpacing) {
        int steps = timesteps.length;
        float[] schedule = noise.sigmas();
        double[] sigmas = Sigmas.at(timesteps, schedule);
        if (sigmaSpacing.followsTimesteps()) {
            return new SigmaCourse(timesteps, sigmas);
        }
        double[] spaced = sigmaSpacing.between(sigmas[0], sigmas[steps - 1], steps);
        return new SigmaCourse(Sigmas.rounded(Sigmas.timestepsOf(spaced, schedule)), spaced);
    }

    double[] timesteps() {
        return timesteps;
    }

    double[] sigmas() {
        return sigmas;
    }
}
