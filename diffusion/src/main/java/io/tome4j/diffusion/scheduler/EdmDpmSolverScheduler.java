package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import org.bytedeco.pytorch.Tensor;

/**
 * DPM-Solver++ multistep for models of continuous noise levels, such as Playground 2.5: {@link DpmSolverScheduler} in the
 * terms of arXiv 2206.00364. diffusers' {@code EDMDPMSolverMultistepScheduler}.
 */
final class EdmDpmSolverScheduler implements Scheduler {
    private final EdmSettings edm;
    private final SampleLimit limit;
    private final DpmSolverSettings settings;

    EdmDpmSolverScheduler(Config config) {
        edm = EdmSettings.read(config);
        limit = SampleLimit.readThreshold(config);
        settings = DpmSolverSettings.read(config, true);
        if (settings.stochastic() && settings.order() == 3) {
            throw new TomeException("Unsupported in " + config.origin()
                    + ": 'algorithm_type' \"sde-dpmsolver++\" with 'solver_order' 3; set it to 2.");
        }
    }

    @Override
    public String name() {
        return "edm_dpmpp_2m";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, edm.trained());
        double[] levels = edm.levels(steps);
        return new EdmRun(edm.timesteps(levels), Sigmas.ending(levels, settings.endsAboveZero() ? edm.least() : 0));
    }

    private final class EdmRun extends DpmSolverRun {
        EdmRun(double[] timesteps, float[] levels) {
            super(settings, edm.trained(), timesteps, edm.initNoiseSigma(), levels);
        }

        @Override
        Tensor scaled(Tensor sample, int index) {
            return edm.input(sample, sigma[index]);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(edm.image(sample, modelOutput, sigma[index]));
        }
    }
}
