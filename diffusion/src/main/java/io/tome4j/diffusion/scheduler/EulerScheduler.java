package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** Euler's method: arXiv 2206.00364, algorithm 2 without churn. diffusers' {@code EulerDiscreteScheduler}. */
final class EulerScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final boolean logLinear;
    private final boolean endsAboveZero;
    private final double[] given; // the caller's noise levels and the one at the end; empty for spaced ones

    EulerScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaledWithFiniteSigmas(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        logLinear = switch (config.text("interpolation_type", "linear")) {
            case "linear" -> false;
            case "log_linear" -> true;
            default -> throw config.unsupported("interpolation_type", "linear, log_linear");
        };
        endsAboveZero = FinalSigma.readAboveZero(config);
        config.only("timestep_type", "discrete");
        given = config.has(SigmaSpacing.SIGMAS) ? config.numbers(SigmaSpacing.SIGMAS) : new double[0];
    }

    @Override
    public String name() {
        return "euler";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        if (given.length > 0) {
            return atGiven(steps, schedule);
        }
        double[] timesteps = spacing.continuous(noise.timesteps(), steps);
        double[] sigmas = logLinear ? logLinear(schedule, steps) : Sigmas.at(timesteps, schedule);
        if (!sigmaSpacing.followsTimesteps()) {
            sigmas = sigmaSpacing.between(sigmas[0], sigmas[sigmas.length - 1], steps);
            timesteps = Sigmas.rounded(Sigmas.timestepsOf(sigmas, schedule));
        }
        return new EulerRun(timesteps, Sigmas.ending(sigmas, endsAboveZero ? schedule[0] : 0));
    }

    private Trajectory atGiven(int steps, float[] schedule) {
        if (given.length != steps + 1) {
            throw new OptionException("{sigmas} has " + given.length + " noise levels, which is for "
                    + (given.length - 1) + " steps: the last is where the run ends; and these are " + steps + " steps");
        }
        double[] levels = Sigmas.rounded(Arrays.copyOf(given, steps));
        return new EulerRun(Sigmas.rounded(Sigmas.timestepsOf(levels, schedule)), Sigmas.ending(levels, given[steps]));
    }

    /** One level more than there are steps: the last step ends at the schedule's lowest, and not at the final sigma. */
    private static double[] logLinear(float[] schedule, int steps) {
        double[] sigmas = Sigmas.linspace(Math.log(schedule[schedule.length - 1]), Math.log(schedule[0]), steps + 1);
        for (int i = 0; i < sigmas.length; i++) {
            sigmas[i] = Math.exp(sigmas[i]);
        }
        return sigmas;
    }

    private final class EulerRun extends SigmaRun {
        EulerRun(double[] timesteps, float[] sigmas) {
            super(noise.timesteps(), timesteps, sigmas, spacing);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return prediction.original(sample, modelOutput, sigmas[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            float sigma = sigmas[index];
            Tensor image = image(modelOutput, index, sample);
            return sample.add(times(derivative(sample, image, sigma), sigmas[index + 1] - sigma));
        }
    }
}
