package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * The exponential integrator with a polynomial over earlier predictions of the noise, in the logarithm of the noise level:
 * arXiv 2204.13902, section 3 (log rho). diffusers' {@code DEISMultistepScheduler}.
 */
final class DeisScheduler implements Scheduler {
    private static final int FEW_STEPS = 15; // below this the last steps are of lower order

    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final int order;
    private final boolean lowerOrderFinal;

    DeisScheduler(Config config) {
        noise = NoiseSchedule.read(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readThreshold(config);
        order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) {
            throw config.unsupported("solver_order", "1, 2, 3");
        }
        // Names of other solvers' types mean this solver, so that it can take over their configs.
        switch (config.text("algorithm_type", "deis")) {
            case "deis", "dpmsolver", "dpmsolver++" -> {}
            default -> throw config.unsupported("algorithm_type", "deis");
        }
        switch (config.text("solver_type", "logrho")) {
            case "logrho", "midpoint", "heun", "bh1", "bh2" -> {}
            default -> throw config.unsupported("solver_type", "logrho");
        }
        lowerOrderFinal = config.flag("lower_order_final", true);
        config.only("use_flow_sigmas", false);
        config.only("use_dynamic_shifting", false);
    }

    @Override
    public String name() {
        return "deis";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        if (sigmaSpacing.followsTimesteps()) {
            double[] timesteps = Run.asDoubles(spacing.intervals(noise.timesteps(), noise.timesteps(), steps));
            return new DeisRun(timesteps, Sigmas.ending(Sigmas.at(timesteps, schedule), schedule[0]));
        }
        double[] sigmas = sigmaSpacing.between(schedule[schedule.length - 1], schedule[0], steps);
        double[] timesteps = MultistepRun.whole(Sigmas.timestepsOf(sigmas, schedule), sigmaSpacing.isKarras());
        return new DeisRun(timesteps, Sigmas.ending(sigmas, sigmas[steps - 1]));
    }

    private final class DeisRun extends MultistepRun {
        private final History noises = remember(order);

        DeisRun(double[] timesteps, float[] noiseLevels) {
            super(noise.timesteps(), timesteps, noiseLevels);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, alpha[index], sigma[index]));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            Tensor image = image(modelOutput, index, sample);
            noises.push(over(sample.sub(times(image, alpha[index])), sigma[index]));
            int next = index + 1;
            int stepOrder = orderAt(index);
            if (stepOrder == 1) {
                float growth = (float) Math.exp(lambda[next] - lambda[index]) - 1;
                return times(sample, alpha[next] / alpha[index]).sub(times(noises.latest(0), sigma[next] * growth));
            }
            Tensor sum = over(sample, alpha[index]);
            for (int back = 0; back < stepOrder; back++) {
                sum = sum.add(times(noises.latest(back), (float) weight(index, back, stepOrder)));
            }
            return times(sum, alpha[next]);
        }

        private int orderAt(int index) {
            boolean few = lowerOrderFinal && steps < FEW_STEPS;
            int left = steps - index;
            int most = few ? Math.min(order, left) : order;
            return Math.min(most, noises.size());
        }

        /** The integral, over this step, of the polynomial in log rho that is 1 at the step {@code back} ago. */
        private double weight(int index, int back, int stepOrder) {
            double here = rho(index - back);
            double[] others = new double[stepOrder - 1];
            for (int i = 0, found = 0; i < stepOrder; i++) {
                if (i != back) {
                    others[found++] = rho(index - i);
                }
            }
            return integral(rho(index + 1), here, others) - integral(rho(index), here, others);
        }

        private double rho(int index) {
            return sigma[index] / alpha[index];
        }
    }

    /** The antiderivative, in rho, of the Lagrange polynomial in log rho. */
    private static double integral(double at, double here, double... others) {
        double t = Math.log(at);
        double b = Math.log(here);
        double c = Math.log(others[0]);
        if (others.length == 1) {
            return at * (t - c - 1) / (b - c);
        }
        double d = Math.log(others[1]);
        return at * (c * (d - t + 1) - d * t + d + t * t - 2 * t + 2) / ((b - c) * (b - d));
    }
}
