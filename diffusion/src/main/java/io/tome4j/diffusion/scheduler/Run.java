package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** What every run does alike: keeps the order of the steps, the dtype, and the memory. */
abstract class Run implements Trajectory {
    private final double[] timesteps;
    private final double initNoiseSigma;
    private final List<History> histories = new ArrayList<>();
    private int firstIndex;
    private int nextIndex;
    private boolean closed;

    Run(double[] timesteps, double initNoiseSigma) {
        this.timesteps = timesteps;
        this.initNoiseSigma = initNoiseSigma;
    }

    /** Checks a number of steps against the number of timesteps the model was trained with. */
    static void requireSteps(String scheduler, int steps, int trained) {
        if (steps < 1 || steps > trained) {
            throw new TomeException("The scheduler '" + scheduler + "' cannot run " + steps
                    + " steps: the model was trained with " + trained + " timesteps, so take 1 to " + trained + ".");
        }
    }

    static double[] asDoubles(int[] timesteps) {
        double[] doubles = new double[timesteps.length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = timesteps[i];
        }
        return doubles;
    }

    /** A memory of the last {@code capacity} tensors that lives as long as this run. */
    final History remember(int capacity) {
        History history = new History(capacity);
        histories.add(history);
        return history;
    }

    @Override
    public final double[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public final double initNoiseSigma() {
        return initNoiseSigma;
    }

    @Override
    public final void beginAt(int index) {
        requireIndex(index);
        if (nextIndex != firstIndex) {
            throw new IllegalStateException("This run has begun at " + firstIndex);
        }
        firstIndex = index;
        nextIndex = index;
    }

    @Override
    public final Tensor scaleModelInput(Tensor sample, int index) {
        requireIndex(index);
        try (var scope = TensorScope.open()) {
            return scope.release(scaled(new Tensor(LatentMath.fp32(sample)), index));
        }
    }

    @Override
    public final Tensor step(Tensor modelOutput, int index, Tensor sample, Generator noise) {
        if (closed) {
            throw new IllegalStateException("This run was closed");
        }
        requireIndex(index);
        if (index != nextIndex) {
            throw new IllegalArgumentException(
                    "Steps are taken in order, each once: expected index " + nextIndex + ", got " + index);
        }
        try (var scope = TensorScope.open()) {
            Tensor previous = advance(LatentMath.fp32(modelOutput), index, LatentMath.fp32(sample), noise);
            nextIndex++;
            return scope.release(previous);
        }
    }

    /** {@link Trajectory#scaleModelInput}, inside a scope; most schedulers leave the latents as they are. */
    Tensor scaled(Tensor sample, int index) {
        return sample;
    }

    /** {@link Trajectory#step}, inside a scope, with all tensors in fp32. */
    abstract Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator noise);

    @Override
    public final void close() {
        closed = true;
        histories.forEach(History::close);
    }

    private void requireIndex(int index) {
        if (index < 0 || index >= timesteps.length) {
            throw new IllegalArgumentException(
                    "No timestep " + index + " in a run of " + timesteps.length + " model calls");
        }
    }
}
