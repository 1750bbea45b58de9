package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Tensor;

/**
 * DPM-Solver++ multistep of order 1 to 3, deterministic (arXiv 2211.01095, algorithm 2 and appendix B) or with fresh noise in
 * each step (its section 5). diffusers' {@code DPMSolverMultistepScheduler}.
 */
final class DpmSolverScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final DpmSolverSettings settings;
    private final boolean cosine;
    private final double leastLambda;

    DpmSolverScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaledWithFiniteSigmas(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readThreshold(config);
        settings = DpmSolverSettings.read(config, true);
        cosine = config.text("beta_schedule", "linear").equals("squaredcos_cap_v2");
        leastLambda = config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY);
        config.only("use_lu_lambdas", false);
        requireNoFlow(config);
    }

    /** What none of the DPM-Solver schedulers for Stable Diffusion means. */
    static void requireNoFlow(Config config) {
        config.only("use_flow_sigmas", false);
        config.only("use_dynamic_shifting", false);
        if (config.has("variance_type")) {
            throw config.unsupported("variance_type", "null");
        }
    }

    @Override
    public String name() {
        String kind = settings.stochastic() ? (settings.order() == 3 ? "3m_sde" : "2m_sde") : "2m";
        return "dpmpp_" + kind + (sigmaSpacing.isKarras() ? "_karras" : "");
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        if (sigmaSpacing.followsTimesteps()) {
            int inUse = noise.timestepsInUse(name(), leastLambda);
            return at(Run.asDoubles(spacing.intervals(noise.timesteps(), inUse, steps)));
        }
        double[] sigmas = sigmaSpacing.between(schedule[schedule.length - 1], schedule[0], steps);
        double[] timesteps =
                MultistepRun.whole(Sigmas.timestepsOf(sigmas, schedule), sigmaSpacing.isKarras() && !cosine);
        return new DpmRun(timesteps, sigmas);
    }

    private Trajectory at(double[] timesteps) {
        return new DpmRun(timesteps, Sigmas.at(timesteps, noise.sigmas()));
    }

    private final class DpmRun extends DpmSolverRun {
        DpmRun(double[] timesteps, double[] sigmas) {
            super(
                    settings,
                    noise.timesteps(),
                    timesteps,
                    Sigmas.ending(sigmas, settings.endsAboveZero() ? noise.sigmas()[0] : 0));
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, alpha[index], sigma[index]));
        }
    }
}
