package io.tome4j.checkpoint;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.Set;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Weights without a checkpoint: a tensor of any name and shape, drawn when it is asked for. They are scaled by the inputs
 * of a layer so that activations keep a sane size; norms and biases begin as training begins them. The same seed, name and
 * shape give the same tensor.
 */
public final class RandomWeights implements Weights.Source {
    private final long seed;

    public RandomWeights(long seed) {
        this.seed = seed;
    }

    /** None: whatever a model takes is all there is. */
    @Override
    public Set<String> names() {
        return Set.of();
    }

    @Override
    public boolean has(String name) {
        return true;
    }

    @Override
    public Tensor load(String name, long[] shape) {
        if (name.endsWith(".bias")) {
            return torch.zeros(shape, Tensors.fp32());
        }
        if (shape.length <= 1) {
            return torch.ones(shape, Tensors.fp32()); // of a norm
        }
        long fanIn = 1;
        for (int i = 1; i < shape.length; i++) {
            fanIn *= shape[i];
        }
        try (var scope = TensorScope.open()) {
            Generator generator = Tensors.generator(seed + name.hashCode());
            return scope.release(Tensors.randn(generator, shape).mul_(new Scalar(1 / Math.sqrt(fanIn))));
        }
    }

    @Override
    public String origin(String name) {
        return "random weights";
    }
}
