package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Trajectory consistency distillation: jump down the trajectory, further than the next step, and add noise to come back up
 * (arXiv 2402.19159, algorithm 4). For models distilled to it. diffusers' {@code TCDScheduler}.
 */
final class TcdScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final PredictionType prediction;
    private final DistilledSteps distillation;
    private final double eta; // the paper's gamma: how far beyond the next step

    TcdScheduler(Config config) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "scaled_linear").rescaled(config);
        prediction = PredictionType.read(config, PredictionType.values());
        distillation = DistilledSteps.read(config, noise.timesteps());
        eta = 0;
    }

    private TcdScheduler(TcdScheduler other, double eta) {
        noise = other.noise;
        prediction = other.prediction;
        distillation = other.distillation;
        this.eta = eta;
    }

    @Override
    public Scheduler withEta(double value) {
        return new TcdScheduler(this, Eta.within(value));
    }

    @Override
    public String name() {
        return "tcd";
    }

    @Override
    public Trajectory start(int steps) {
        return startSpread(steps, 1);
    }

    @Override
    public Trajectory startSpread(int steps, double strength) {
        Run.requireSteps(name(), steps, noise.timesteps());
        return new TcdRun(distillation.positions(name(), steps, strength));
    }

    private final class TcdRun extends DistilledRun {
        TcdRun(int[] positions) {
            super(TcdScheduler.this.noise, TcdScheduler.this.prediction, SampleLimit.NONE, positions);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            boolean last = isLast(index);
            int next = last ? 0 : positions[index + 1];
            float alpha = noise.alphaCumprod(positions[index]);
            float below = noise.alphaCumprod((int) Math.floor((float) (1 - eta) * next));
            Tensor direction = prediction.noise(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha));
            Tensor jumped =
                    times(image(modelOutput, index, sample), sqrt(below)).add(times(direction, sqrt(1 - below)));
            if (eta == 0 || last) {
                return jumped;
            }
            float back = noise.alphaCumprod(next) / below;
            return times(jumped, sqrt(back)).add(times(LatentMath.noiseLike(sample, generator), sqrt(1 - back)));
        }
    }
}
