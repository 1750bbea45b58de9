package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import java.util.OptionalLong;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * DPM-Solver++ of second order for the diffusion SDE in single steps with a midpoint (arXiv 2211.01095, section 5), whose
 * noise is that of one Brownian path: with more steps it comes nearer to the same image. It calls the model twice in each
 * step but the last. diffusers' {@code DPMSolverSDEScheduler}.
 */
final class DpmSdeScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final OptionalLong pathSeed;

    DpmSdeScheduler(Config config) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "linear");
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.readWithoutRange(config);
        prediction = PredictionType.read(config, PredictionType.EPSILON, PredictionType.V_PREDICTION);
        pathSeed = config.has("noise_sampler_seed")
                ? OptionalLong.of(config.integer("noise_sampler_seed", 0, 0, Integer.MAX_VALUE))
                : OptionalLong.empty();
    }

    @Override
    public String name() {
        return sigmaSpacing.isKarras() ? "dpmpp_sde_karras" : "dpmpp_sde";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        SigmaCourse course = SigmaCourse.at(spacing.evenly(noise.timesteps(), steps), noise, sigmaSpacing);
        double[] sigmas = course.sigmas();
        double[] middles = new double[steps - 1];
        for (int i = 0; i < middles.length; i++) {
            middles[i] = Math.sqrt(sigmas[i] * sigmas[i + 1]);
        }
        double[] betweens = Sigmas.timestepsOf(middles, noise.sigmas());
        float[] levels = Sigmas.ending(sigmas, 0);
        double[] calls = new double[2 * steps - 1];
        float[] inputs = new float[2 * steps];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = i % 2 == 0 ? course.timesteps()[i / 2] : betweens[i / 2];
            inputs[i] = i % 2 == 0 ? levels[i / 2] : level(middle(levels[i / 2], levels[i / 2 + 1]));
        }
        return new SdeRun(calls, inputs, levels);
    }

    /** The time of a noise level, as the solver counts it. */
    private static float time(float sigma) {
        return -(float) Math.log(sigma);
    }

    /**
     * The noise level of a time. The Brownian path is rough: a last bit of the level moves its noise by a thousandth. This is
     * rounded correctly; PyTorch's is that of the processor's vector library, so that the reference's images differ, too.
     */
    private static float level(float time) {
        return (float) Math.exp(-time);
    }

    /** The time half way between two noise levels. */
    private static float middle(float from, float to) {
        return time(from) + (time(to) - time(from)) * 0.5f;
    }

    private final class SdeRun extends SigmaRun {
        private final float[] levels; // where each step begins and, last, where the final one ends
        private final History starts = remember(1);
        private OptionalLong seed = pathSeed;

        SdeRun(double[] timesteps, float[] inputs, float[] levels) {
            super(noise.timesteps(), timesteps, inputs, spacing, 2);
            this.levels = levels;
        }

        @Override
        float noiseLevel(int index) {
            return levels[(index + 1) / 2]; // in the middle of a step that of its end, as the reference has it
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return prediction.original(sample, modelOutput, sigmas[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            if (seed.isEmpty()) {
                seed = OptionalLong.of(BrownianPath.drawSeed(generator));
            }
            float from = levels[index / 2];
            float to = levels[index / 2 + 1];
            Tensor image = image(modelOutput, index, sample);
            if (to == 0) {
                return sample.add(times(over(sample.sub(image), from), to - from));
            }
            boolean begins = index % 2 == 0;
            if (begins) {
                starts.push(sample);
            }
            return update(starts.latest(0), image, time(from), begins ? middle(from, to) : time(to));
        }

        /** From one time to another: down further than asked, and up again by the path's noise. */
        private Tensor update(Tensor start, Tensor image, float from, float to) {
            float sigmaFrom = level(from);
            float sigmaTo = level(to);
            float up = Math.min(sigmaTo, Sigmas.ancestralUp(sigmaFrom, sigmaTo));
            float down = time((float) Math.sqrt(sigmaTo * sigmaTo - up * up));
            Tensor moved = times(start, level(down) / sigmaFrom).sub(times(image, (float) Math.expm1(from - down)));
            BrownianPath path = new BrownianPath(seed.orElseThrow(), levels[levels.length - 2], levels[0], start);
            return moved.add(times(path.noise(sigmaFrom, sigmaTo), up));
        }
    }
}
