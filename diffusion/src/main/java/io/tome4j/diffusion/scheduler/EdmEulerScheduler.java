package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Euler's method for models of continuous noise levels: arXiv 2206.00364, algorithm 2 without churn. diffusers' {@code
 * EDMEulerScheduler}.
 */
final class EdmEulerScheduler implements Scheduler {
    private final EdmSettings edm;
    private final boolean endsAboveZero;

    EdmEulerScheduler(Config config) {
        edm = EdmSettings.read(config);
        endsAboveZero = FinalSigma.readAboveZero(config);
    }

    @Override
    public String name() {
        return "edm_euler";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, edm.trained());
        double[] levels = edm.levels(steps);
        return new EdmRun(edm.timesteps(levels), Sigmas.ending(levels, endsAboveZero ? levels[steps - 1] : 0));
    }

    private final class EdmRun extends Run {
        private final float[] levels;

        EdmRun(double[] timesteps, float[] levels) {
            super(edm.trained(), timesteps, edm.initNoiseSigma());
            this.levels = levels;
        }

        @Override
        Tensor noised(Tensor original, Tensor noise, int index) {
            return original.add(times(noise, levels[index]));
        }

        @Override
        Tensor scaled(Tensor sample, int index) {
            return edm.input(sample, levels[index]);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return edm.image(sample, modelOutput, levels[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            Tensor derivative = over(sample.sub(image(modelOutput, index, sample)), levels[index]);
            return sample.add(times(derivative, levels[index + 1] - levels[index]));
        }
    }
}
