package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * DPM-Solver++ multistep of order 1 to 3, deterministic (arXiv 2211.01095, algorithm 2 and appendix B) or, at order 1
 * and 2 best, with fresh noise in each step (its section 5). diffusers' {@code DPMSolverMultistepScheduler}.
 */
final class DpmSolverScheduler implements Scheduler {
    private static final int FEW_STEPS = 15; // below this the last steps are of lower order

    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final int order;
    private final boolean stochastic;
    private final boolean heun;
    private final boolean lowerOrderFinal;
    private final boolean eulerAtFinal;
    private final boolean endsAboveZero;
    private final boolean cosine;
    private final double leastLambda;

    DpmSolverScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaledWithFiniteSigmas(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readThreshold(config);
        order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) {
            throw config.unsupported("solver_order", "1, 2, 3");
        }
        stochastic = switch (config.text("algorithm_type", "dpmsolver++")) {
            case "dpmsolver++", "deis" -> false;
            case "sde-dpmsolver++" -> true;
            default -> throw config.unsupported("algorithm_type", "dpmsolver++, sde-dpmsolver++");
        };
        // Names of other solvers' types mean this solver's default, so that it can take over their configs.
        heun = switch (config.text("solver_type", "midpoint")) {
            case "midpoint", "logrho", "bh1", "bh2" -> false;
            case "heun" -> true;
            default -> throw config.unsupported("solver_type", "midpoint, heun");
        };
        lowerOrderFinal = config.flag("lower_order_final", true);
        eulerAtFinal = config.flag("euler_at_final", false);
        endsAboveZero = FinalSigma.readAboveZero(config);
        cosine = config.text("beta_schedule", "linear").equals("squaredcos_cap_v2");
        leastLambda = config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY);
        config.only("use_lu_lambdas", false);
        config.only("use_flow_sigmas", false);
        config.only("use_dynamic_shifting", false);
        if (config.has("variance_type")) {
            throw config.unsupported("variance_type", "null");
        }
    }

    @Override
    public String name() {
        return sigmaSpacing.isKarras() ? "dpmpp_2m_karras" : "dpmpp_2m";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        double[] timesteps;
        double[] sigmas;
        if (sigmaSpacing.followsTimesteps()) {
            timesteps = Run.asDoubles(spacing.intervals(noise.timesteps(), timestepsInUse(), steps));
            sigmas = Sigmas.at(timesteps, schedule);
        } else {
            sigmas = sigmaSpacing.between(schedule[schedule.length - 1], schedule[0], steps);
            timesteps = MultistepRun.whole(Sigmas.timestepsOf(sigmas, schedule), sigmaSpacing.isKarras() && !cosine);
        }
        return new DpmRun(timesteps, Sigmas.ending(sigmas, endsAboveZero ? schedule[0] : 0));
    }

    /** How many timesteps, from 0, have a lambda of at least {@code lambda_min_clipped}. */
    private int timestepsInUse() {
        float[] lambdas = noise.lambdas();
        int inUse = lambdas.length;
        while (inUse > 0 && lambdas[inUse - 1] < leastLambda) {
            inUse--;
        }
        if (inUse == 0) {
            throw new TomeException("The scheduler 'dpmpp_2m' has no timestep left: lambda_min_clipped is "
                    + leastLambda + ", and the noise schedule reaches only " + lambdas[0] + ".");
        }
        return inUse;
    }

    private final class DpmRun extends MultistepRun {
        private final History images = remember(order);

        DpmRun(double[] timesteps, float[] noiseLevels) {
            super(noise.timesteps(), timesteps, noiseLevels);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, alpha[index], sigma[index]));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            images.push(image(modelOutput, index, sample));
            int stepOrder = orderAt(index);
            int next = index + 1;
            float h = lambda[next] - lambda[index];
            float hh = stochastic ? 2 * h : h;
            float decay = exp(-hh);
            float toNoise = sigma[next] / sigma[index];

            Tensor image = images.latest(0);
            Tensor result = times(sample, stochastic ? toNoise * exp(-h) : toNoise)
                    .add(times(image, alpha[next] * (1 - decay)));
            if (stepOrder == 2) {
                float slopeWeight = heun ? (decay - 1) / hh + 1 : 0.5f * (1 - decay);
                result = result.add(times(slope(index, 0, h), alpha[next] * slopeWeight));
            } else if (stepOrder == 3) {
                float r0 = (lambda[index] - lambda[index - 1]) / h;
                float r1 = (lambda[index - 1] - lambda[index - 2]) / h;
                Tensor newer = slope(index, 0, h);
                Tensor bend = newer.sub(slope(index, 1, h));
                Tensor first = newer.add(times(bend, r0 / (r0 + r1)));
                Tensor second = times(bend, 1 / (r0 + r1));
                float secondWeight = -(decay - 1 + hh) / (hh * hh) + (stochastic ? -0.5f : 0.5f);
                result = result.add(times(first, alpha[next] * ((decay - 1) / hh + 1)))
                        .add(times(second, alpha[next] * secondWeight));
            }
            if (stochastic) {
                float fresh = sigma[next] * (float) Math.sqrt(1 - decay);
                result = result.add(times(LatentMath.noiseLike(sample, generator), fresh));
            }
            return result;
        }

        private int orderAt(int index) {
            boolean few = lowerOrderFinal && steps < FEW_STEPS;
            int left = steps - index;
            int most = order;
            if (left == 1 && (eulerAtFinal || few || !endsAboveZero)) {
                most = 1;
            } else if (left == 2 && few) {
                most = Math.min(order, 2);
            }
            return Math.min(most, images.size());
        }

        /** The finite difference of two neighbouring predictions, by lambda, in units of this step. */
        private Tensor slope(int index, int back, float h) {
            float r = (lambda[index - back] - lambda[index - back - 1]) / h;
            return times(images.latest(back).sub(images.latest(back + 1)), 1 / r);
        }

        private static float exp(float x) {
            return (float) Math.exp(x);
        }
    }
}
