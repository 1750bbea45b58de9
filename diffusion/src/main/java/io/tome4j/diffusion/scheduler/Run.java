package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** What every run does alike: keeps the order of the steps, the dtype, and the memory. */
abstract class Run implements Trajectory {
    private final int trained;
    private final double[] timesteps;
    private final double initNoiseSigma;
    private final int order;
    private final List<History> histories = new ArrayList<>();
    private int begin; // the model call that comes first
    private int nextIndex; // of those from there
    private boolean closed;

    /** A run of a solver that calls the model once a step. */
    Run(int trained, double[] timesteps, double initNoiseSigma) {
        this(trained, timesteps, initNoiseSigma, 1);
    }

    /**
     * @param trained the number of timesteps the model was trained with
     * @param timesteps at each model call
     * @param order model calls in a step
     */
    Run(int trained, double[] timesteps, double initNoiseSigma, int order) {
        this.trained = trained;
        this.timesteps = timesteps;
        this.initNoiseSigma = initNoiseSigma;
        this.order = order;
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
        return Arrays.copyOfRange(timesteps, begin, timesteps.length);
    }

    @Override
    public final double initNoiseSigma() {
        return initNoiseSigma;
    }

    @Override
    public final int order() {
        return order;
    }

    /** The model call that this run starts with. */
    final int begin() {
        return begin;
    }

    @Override
    public final Trajectory startingAt(int index) {
        requireIndex(index);
        if (index % order != 0) {
            throw new IllegalArgumentException(
                    "A run cannot start at the model call " + index + ": a step has " + order + " of them");
        }
        if (nextIndex > 0) {
            throw new IllegalStateException("This run has begun");
        }
        begin += index;
        return this;
    }

    @Override
    public final int callsBefore(double share) {
        double cutoff = Math.rint(trained - share * trained);
        int calls = 0;
        for (double timestep : timesteps()) {
            calls += timestep >= cutoff ? 1 : 0;
        }
        return calls;
    }

    @Override
    public final Trajectory startingAfter(double share) {
        int left = timesteps.length - begin - callsBefore(share);
        if (order == 2 && left % 2 == 0) {
            left++; // the last step has one call only, so that an even number begins in the middle of one
        }
        if (left <= order - 1 || left > timesteps.length - begin) {
            throw new TomeException("A run of these steps has nothing to do after the share " + share
                    + " of it, or did nothing before: take more steps.");
        }
        return startingAt(timesteps.length - begin - left);
    }

    @Override
    public final Tensor addNoise(Tensor original, Tensor noise, int index) {
        requireIndex(index);
        try (var scope = TensorScope.open()) {
            return scope.release(noised(LatentMath.fp32(original), LatentMath.fp32(noise), begin + index));
        }
    }

    @Override
    public final Tensor scaleModelInput(Tensor sample, int index) {
        requireIndex(index);
        try (var scope = TensorScope.open()) {
            return scope.release(scaled(new Tensor(LatentMath.fp32(sample)), begin + index));
        }
    }

    @Override
    public final Tensor original(Tensor modelOutput, int index, Tensor sample) {
        requireIndex(index);
        try (var scope = TensorScope.open()) {
            return scope.release(image(LatentMath.fp32(modelOutput), begin + index, LatentMath.fp32(sample)));
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
            Tensor previous = advance(LatentMath.fp32(modelOutput), begin + index, LatentMath.fp32(sample), noise);
            nextIndex++;
            return scope.release(previous);
        }
    }

    /** {@link Trajectory#addNoise}, inside a scope, with all tensors in fp32 and the index among all model calls. */
    abstract Tensor noised(Tensor original, Tensor noise, int index);

    /** {@link Trajectory#original}, inside a scope, with all tensors in fp32 and the index among all model calls. */
    abstract Tensor image(Tensor modelOutput, int index, Tensor sample);

    /** {@link Trajectory#scaleModelInput}, inside a scope, with the index among all model calls; most schedulers leave the latents as they are. */
    Tensor scaled(Tensor sample, int index) {
        return sample;
    }

    /** {@link Trajectory#step}, inside a scope, with all tensors in fp32 and the index among all model calls. */
    abstract Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator noise);

    @Override
    public final void close() {
        closed = true;
        histories.forEach(History::close);
    }

    private void requireIndex(int index) {
        int calls = timesteps.length - begin;
        if (index < 0 || index >= calls) {
            throw new IllegalArgumentException("No timestep " + index + " in a run of " + calls + " model calls");
        }
    }
}
