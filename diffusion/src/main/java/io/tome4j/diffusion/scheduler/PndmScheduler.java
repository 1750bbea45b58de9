package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Pseudo linear multistep (PLMS), after Runge-Kutta steps (PRK) unless these are skipped, as they are for Stable
 * Diffusion: arXiv 2202.09778, equations 9, 12 and 13 and algorithm 2. diffusers' {@code PNDMScheduler}.
 */
final class PndmScheduler implements Scheduler {
    private static final int ORDER = 4;

    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final PredictionType prediction;
    private final boolean skipPrk;
    private final float finalAlpha;

    PndmScheduler(Config config) {
        noise = NoiseSchedule.read(config);
        spacing = TimestepSpacing.read(config, "leading");
        prediction = PredictionType.read(config, PredictionType.EPSILON, PredictionType.V_PREDICTION);
        skipPrk = config.flag("skip_prk_steps", false);
        finalAlpha = config.flag("set_alpha_to_one", false) ? 1 : noise.alphaCumprod(0);
    }

    @Override
    public String name() {
        return "pndm";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        int[] positions = spacing.positions(noise.timesteps(), steps);
        if (skipPrk) {
            return new PlmsRun(withSecondRepeated(positions), 0, steps);
        }
        if (steps < ORDER) {
            throw new TomeException("The scheduler 'pndm' cannot run " + steps
                    + " steps with its Runge-Kutta warm-up: take at least " + ORDER + ", or set skip_prk_steps.");
        }
        return new PlmsRun(withRungeKutta(positions, steps), 4 * (ORDER - 1), steps);
    }

    /** The first step is taken twice: once as a guess, once corrected by the model's answer to the guess. */
    private static int[] withSecondRepeated(int[] positions) {
        if (positions.length == 1) {
            return positions;
        }
        int[] repeated = new int[positions.length + 1];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = positions[i < 2 ? i : i - 1];
        }
        return repeated;
    }

    /** Each of the first three steps calls the model at its start, twice in its middle, and at its end. */
    private int[] withRungeKutta(int[] positions, int steps) {
        int half = noise.timesteps() / steps / 2;
        int warmUp = ORDER - 1;
        int[] calls = new int[4 * warmUp + positions.length - warmUp];
        for (int i = 0; i < warmUp; i++) {
            calls[4 * i] = positions[i];
            calls[4 * i + 1] = positions[i + 1] + half;
            calls[4 * i + 2] = positions[i + 1] + half;
            calls[4 * i + 3] = positions[i + 1];
        }
        System.arraycopy(positions, warmUp, calls, 4 * warmUp, positions.length - warmUp);
        return calls;
    }

    private final class PlmsRun extends Run {
        private final int[] calls;
        private final int prkCalls;
        private final int distance; // timesteps between two steps
        private final History outputs = remember(ORDER);
        private final History start = remember(1); // the sample that a step of several calls starts from
        private final History slopes = remember(1); // the weighted sum of a Runge-Kutta step's outputs so far

        PlmsRun(int[] calls, int prkCalls, int steps) {
            super(noise.timesteps(), asDoubles(calls), 1);
            this.calls = calls;
            this.prkCalls = prkCalls;
            this.distance = noise.timesteps() / steps;
        }

        @Override
        Tensor noised(Tensor original, Tensor fresh, int index) {
            return noise.noised(original, fresh, calls[index]);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            float alpha = noise.alphaCumprod(calls[index]);
            return prediction.original(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            return index - begin() < prkCalls
                    ? rungeKutta(modelOutput, index, sample)
                    : multistep(modelOutput, index, sample);
        }

        private Tensor rungeKutta(Tensor output, int index, Tensor sample) {
            int call = index - begin(); // counted from where a run starts, as is what the call is for
            int first = calls[call / 4 * 4];
            int previous = calls[index] - (call % 2 == 0 ? distance / 2 : 0);
            Tensor slope = output;
            switch (call % 4) {
                case 0 -> {
                    outputs.push(output);
                    start.push(sample);
                    slopes.push(times(output, 1 / 6f));
                }
                case 3 -> slope = slopes.latest(0).add(times(output, 1 / 6f));
                default -> slopes.push(slopes.latest(0).add(times(output, 1 / 3f)));
            }
            return transfer(start.latest(0), slope, first, previous);
        }

        private Tensor multistep(Tensor output, int index, Tensor sample) {
            int call = index - begin();
            if (call == 1) {
                // From the middle nothing is repeated in the list, and yet the second call corrects the first: the
                // reference then is one timestep off from here on, and so are we.
                Tensor mean = over(output.add(outputs.latest(0)), 2);
                return transfer(start.latest(0), mean, calls[index] + distance, calls[index]);
            }
            outputs.push(output);
            if (call == 0) {
                start.push(sample);
            }
            return transfer(sample, extrapolated(), calls[index], calls[index] - distance);
        }

        /** Adams-Bashforth over the outputs remembered. */
        private Tensor extrapolated() {
            return switch (outputs.size()) {
                case 1 -> outputs.latest(0);
                case 2 -> over(times(outputs.latest(0), 3).sub(outputs.latest(1)), 2);
                case 3 ->
                    over(
                            times(outputs.latest(0), 23)
                                    .sub(times(outputs.latest(1), 16))
                                    .add(times(outputs.latest(2), 5)),
                            12);
                default ->
                    times(
                            times(outputs.latest(0), 55)
                                    .sub(times(outputs.latest(1), 59))
                                    .add(times(outputs.latest(2), 37))
                                    .sub(times(outputs.latest(3), 9)),
                            1 / 24f);
            };
        }

        /** Equation 9 of arXiv 2202.09778. */
        private Tensor transfer(Tensor sample, Tensor output, int timestep, int previousTimestep) {
            float alpha = noise.alphaCumprod(timestep);
            float previousAlpha = previousTimestep >= 0 ? noise.alphaCumprod(previousTimestep) : finalAlpha;
            float beta = 1 - alpha;
            Tensor predicted = prediction.noise(sample, output, sqrt(alpha), sqrt(beta));
            float divisor = alpha * sqrt(1 - previousAlpha) + sqrt(alpha * beta * previousAlpha);
            return times(sample, sqrt(previousAlpha / alpha))
                    .sub(over(times(predicted, previousAlpha - alpha), divisor));
        }

        private static float sqrt(float x) {
            return (float) Math.sqrt(x);
        }
    }
}
