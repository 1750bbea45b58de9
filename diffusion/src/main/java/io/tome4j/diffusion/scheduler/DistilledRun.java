package io.tome4j.diffusion.scheduler;

import org.bytedeco.pytorch.Tensor;

/** A run of a model that was distilled to few steps: its timesteps are positions of the noise schedule, mostly far apart. */
abstract class DistilledRun extends Run {
    final NoiseSchedule noise;
    final PredictionType prediction;
    final int[] positions;
    private final SampleLimit limit;

    /**
     * @param positions falling
     * @throws io.tome4j.tensor.TomeException if what the model predicts says nothing of the image at one of them
     */
    DistilledRun(NoiseSchedule noise, PredictionType prediction, SampleLimit limit, int[] positions) {
        super(noise.timesteps(), asDoubles(positions), 1);
        prediction.requireFinite(noise, positions, limit);
        this.noise = noise;
        this.prediction = prediction;
        this.limit = limit;
        this.positions = positions;
    }

    /** Whether no step comes after one. */
    final boolean isLast(int index) {
        return index == positions.length - 1;
    }

    @Override
    final Tensor noised(Tensor original, Tensor fresh, int index) {
        return noise.noised(original, fresh, positions[index]);
    }

    @Override
    final Tensor image(Tensor modelOutput, int index, Tensor sample) {
        float alpha = noise.alphaCumprod(positions[index]);
        return limit.apply(prediction.original(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha)));
    }

    static float sqrt(float x) {
        return (float) Math.sqrt(x);
    }
}
