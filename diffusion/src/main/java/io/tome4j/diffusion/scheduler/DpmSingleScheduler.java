package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * DPM-Solver++ in single steps (arXiv 2211.01095, algorithm 1 and appendix B): steps of first, second and third order take
 * turns, and each of a turn starts again from where the turn began. diffusers' {@code DPMSolverSinglestepScheduler}, which
 * counts each model call as a step.
 */
final class DpmSingleScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final DpmSolverSettings settings;
    private final double leastLambda;

    DpmSingleScheduler(Config config) {
        noise = NoiseSchedule.read(config);
        spacing = new TimestepSpacing(TimestepSpacing.Way.LINSPACE, 0, GivenTimesteps.read(config));
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readThreshold(config);
        settings = DpmSolverSettings.read(config, false);
        leastLambda = config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY);
        DpmSolverScheduler.requireNoFlow(config);
    }

    @Override
    public String name() {
        return "dpmpp_2s";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        double[] timesteps;
        double[] sigmas;
        if (sigmaSpacing.followsTimesteps()) {
            int inUse = noise.timestepsInUse(name(), leastLambda);
            timesteps = Run.asDoubles(spacing.intervals(noise.timesteps(), inUse, steps));
            sigmas = Sigmas.at(timesteps, schedule);
        } else {
            sigmas = sigmaSpacing.between(schedule[schedule.length - 1], schedule[0], steps);
            timesteps = MultistepRun.whole(Sigmas.timestepsOf(sigmas, schedule), sigmaSpacing.isKarras());
        }
        return new SingleRun(timesteps, Sigmas.ending(sigmas, settings.endsAboveZero() ? schedule[0] : 0));
    }

    /** The order of each step: 1, 2, 3, 1, 2, 3 ..., with the last ones lower so that the turns come out even. */
    private int[] orders(int steps) {
        int most = settings.order();
        List<Integer> orders = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            orders.add(i % most + 1);
        }
        boolean even = steps % most == 0;
        boolean lowerFinal = settings.lowerOrderFinal() || !even || !settings.endsAboveZero();
        if (lowerFinal && even) {
            orders.set(steps - 1, 1);
            if (most == 3) {
                orders.set(steps - 2, 2);
            }
        }
        if (!settings.endsAboveZero()) {
            orders.set(steps - 1, 1);
        }
        return orders.stream().mapToInt(Integer::intValue).toArray();
    }

    private final class SingleRun extends MultistepRun {
        private final int[] orders = orders(steps);
        private final History images = remember(settings.order());
        private final History starts = remember(1);

        SingleRun(double[] timesteps, float[] noiseLevels) {
            super(noise.timesteps(), timesteps, noiseLevels);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, alpha[index], sigma[index]));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            images.push(image(modelOutput, index, sample));
            int order = Math.min(orders[index], images.size());
            if (order == 1) {
                starts.push(sample);
            }
            int first = index - order + 1; // where this turn began
            int next = index + 1;
            boolean stochastic = settings.stochastic();
            float h = lambda[next] - lambda[first];
            float hh = stochastic ? 2 * h : h;
            float decay = exp(-hh);
            float toNoise = sigma[next] / sigma[first];
            Tensor result = times(starts.latest(0), stochastic ? toNoise * exp(-h) : toNoise)
                    .add(times(images.latest(order - 1), alpha[next] * (1 - decay)));
            if (order == 2) {
                float weight = settings.heun() ? (decay - 1) / hh + 1 : 0.5f * (1 - decay);
                result = result.add(times(slope(index, 0, first, h), alpha[next] * weight));
            } else if (order == 3) {
                result = result.add(thirdOrder(index, first, h, hh, decay));
            }
            if (stochastic) {
                float fresh = sigma[next] * (float) Math.sqrt(1 - decay);
                result = result.add(times(LatentMath.noiseLike(sample, generator), fresh));
            }
            return result;
        }

        private Tensor thirdOrder(int index, int first, float h, float hh, float decay) {
            float scale = alpha[index + 1];
            float firstWeight = scale * ((decay - 1) / hh + 1);
            Tensor newer = slope(index, 0, first, h);
            if (!settings.heun()) {
                return times(newer, firstWeight);
            }
            float r0 = (lambda[index] - lambda[first]) / h;
            float r1 = (lambda[index - 1] - lambda[first]) / h;
            Tensor older = slope(index, 1, first, h);
            Tensor slope = times(older, r0).sub(times(newer, r1));
            Tensor bend = times(newer.sub(older), 2 / (r0 - r1));
            float secondWeight = -(decay - 1 + hh) / (hh * hh) + (settings.stochastic() ? -0.5f : 0.5f);
            return times(slope, firstWeight / (r0 - r1)).add(times(bend, scale * secondWeight));
        }

        /** The finite difference of the predictions at a step and at the turn's first, by lambda, in units of the turn. */
        private Tensor slope(int index, int back, int first, float h) {
            int at = index - back;
            float r = (lambda[at] - lambda[first]) / h;
            return times(images.latest(back).sub(images.latest(index - first)), 1 / r);
        }
    }

    private static float exp(float x) {
        return (float) Math.exp(x);
    }
}
