package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * UniPC, a predictor (UniP) whose steps are corrected (UniC) by the model's next output at no further call: arXiv
 * 2302.04867, algorithms 5 to 8. diffusers' {@code UniPCMultistepScheduler}.
 */
final class UniPcScheduler implements Scheduler {
    private static final int MAX_ORDER = 4;

    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final int order;
    private final boolean predictsImage;
    private final boolean bh1;
    private final boolean lowerOrderFinal;
    private final boolean endsAboveZero;
    private final Set<Integer> uncorrected = new HashSet<>();

    UniPcScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaledWithFiniteSigmas(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readThreshold(config);
        order = config.integer("solver_order", 2);
        if (order < 1 || order > MAX_ORDER) {
            throw config.unsupported("solver_order", "1 to " + MAX_ORDER);
        }
        predictsImage = config.flag("predict_x0", true);
        // Names of other solvers' types mean this solver's default, so that it can take over their configs.
        bh1 = switch (config.text("solver_type", "bh2")) {
            case "bh1" -> true;
            case "bh2", "midpoint", "heun", "logrho" -> false;
            default -> throw config.unsupported("solver_type", "bh1, bh2");
        };
        lowerOrderFinal = config.flag("lower_order_final", true);
        endsAboveZero = FinalSigma.readAboveZero(config);
        if (config.has("disable_corrector")) {
            Arrays.stream(config.integers("disable_corrector")).forEach(uncorrected::add);
        }
        config.only("use_flow_sigmas", false);
        config.only("use_dynamic_shifting", false);
        for (String key : new String[] {"solver_p", "shift_terminal"}) {
            if (config.has(key)) {
                throw config.unsupported(key, "null");
            }
        }
        if (!endsAboveZero && (!predictsImage || (!lowerOrderFinal && order > 1))) {
            throw new TomeException("Unsupported in " + config.origin() + ": 'predict_x0' false or 'lower_order_final'"
                    + " false with 'final_sigmas_type' \"zero\" divides by zero; set it to \"sigma_min\".");
        }
    }

    @Override
    public String name() {
        return "unipc";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        float[] schedule = noise.sigmas();
        if (sigmaSpacing.followsTimesteps()) {
            double[] timesteps = Run.asDoubles(spacing.intervals(noise.timesteps(), noise.timesteps(), steps));
            float[] sigmas = Sigmas.ending(Sigmas.at(timesteps, schedule), endsAboveZero ? schedule[0] : 0);
            return new UniPcRun(timesteps, sigmas);
        }
        double[] sigmas = sigmaSpacing.between(schedule[schedule.length - 1], schedule[0], steps);
        double[] timesteps = MultistepRun.whole(Sigmas.timestepsOf(sigmas, schedule), sigmaSpacing.isKarras());
        return new UniPcRun(timesteps, Sigmas.ending(sigmas, endsAboveZero ? sigmas[steps - 1] : 0));
    }

    private final class UniPcRun extends MultistepRun {
        private final History outputs = remember(order); // predicted images, or noises
        private final History starts = remember(1); // the corrected sample that the last step started from
        private int lastOrder;

        UniPcRun(double[] timesteps, float[] noiseLevels) {
            super(noise.timesteps(), timesteps, noiseLevels);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, alpha[index], sigma[index]));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            Tensor output = predictsImage
                    ? image(modelOutput, index, sample)
                    : prediction.noise(sample, modelOutput, alpha[index], sigma[index]);
            boolean corrects = index > begin() && !uncorrected.contains(index - 1);
            Tensor start = corrects ? corrected(output, index) : sample;
            outputs.push(output);
            starts.push(start);
            int most = lowerOrderFinal ? Math.min(order, steps - index) : order;
            lastOrder = Math.min(most, outputs.size());
            return predicted(start, index);
        }

        /** UniP: from step {@code index} to the next, over the outputs up to {@code index}. */
        private Tensor predicted(Tensor start, int index) {
            Weights weights = new Weights(index, index + 1, lastOrder);
            double[] rho = lastOrder == 2 ? new double[] {0.5} : weights.solve(lastOrder - 1);
            return weights.update(start, rho, lastOrder);
        }

        /** UniC: the step that ended at {@code index} once more, now knowing the output at its end. */
        private Tensor corrected(Tensor output, int index) {
            Weights weights = new Weights(index - 1, index, lastOrder);
            double[] rho = lastOrder == 1 ? new double[] {0.5} : weights.solve(lastOrder);
            Tensor base = weights.update(starts.latest(0), rho, lastOrder);
            Tensor change = output.sub(outputs.latest(0));
            return base.sub(times(change, weights.scale * weights.bh * (float) rho[lastOrder - 1]));
        }

        /** The scalars of one step from {@code from} to {@code to}; equation 5 and the system below it. */
        private final class Weights {
            private final float[] r; // earlier lambdas, in units of this step, and 1 for its end
            private final float[] b;
            private final float keep;
            private final float scale;
            private final float phi1;
            private final float bh;

            Weights(int from, int to, int stepOrder) {
                float h = lambda[to] - lambda[from];
                r = new float[stepOrder];
                b = new float[stepOrder];
                for (int i = 1; i < stepOrder; i++) {
                    r[i - 1] = (lambda[from - i] - lambda[from]) / h;
                }
                r[stepOrder - 1] = 1;
                float hh = predictsImage ? -h : h;
                phi1 = (float) Math.expm1(hh);
                bh = bh1 ? hh : phi1;
                float phi = phi1 / hh - 1;
                float factorial = 1;
                for (int i = 1; i <= stepOrder; i++) {
                    b[i - 1] = phi * factorial / bh;
                    factorial *= i + 1;
                    phi = phi / hh - 1 / factorial;
                }
                keep = predictsImage ? sigma[to] / sigma[from] : alpha[to] / alpha[from];
                scale = predictsImage ? alpha[to] : sigma[to];
            }

            /** Solves {@code sum_k r_k^i rho_k = b_i} for the first {@code size} unknowns. */
            double[] solve(int size) {
                double[][] rows = new double[size][size + 1];
                for (int i = 0; i < size; i++) {
                    for (int k = 0; k < size; k++) {
                        rows[i][k] = (float) Math.pow(r[k], i);
                    }
                    rows[i][size] = b[i];
                }
                return LinearSystem.solve(rows);
            }

            /** The first-order step plus the weighted differences of earlier outputs. */
            Tensor update(Tensor start, double[] rho, int stepOrder) {
                Tensor newest = outputs.latest(0);
                Tensor result = times(start, keep).sub(times(newest, scale * phi1));
                for (int i = 1; i < stepOrder; i++) {
                    Tensor slope = outputs.latest(i).sub(newest);
                    result = result.sub(times(slope, scale * bh * ((float) rho[i - 1] / r[i - 1])));
                }
                return result;
            }
        }
    }
}
