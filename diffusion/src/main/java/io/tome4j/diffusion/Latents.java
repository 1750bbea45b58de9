package io.tome4j.diffusion;

import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** Latents as a plain value on the Java heap, {@code [B, 4, H, W]} in fp32: nothing native hangs on it. */
public final class Latents {
    private final float[] values;
    private final long[] shape;

    private Latents(float[] values, long[] shape) {
        this.values = values;
        this.shape = shape;
    }

    /** A copy of a tensor of {@code [B, C, H, W]}. */
    public static Latents of(Tensor tensor) {
        if (tensor.dim() != 4) {
            throw new IllegalArgumentException(
                    "Latents have the shape [B, C, H, W], not " + Arrays.toString(Tensors.shape(tensor)));
        }
        return new Latents(Tensors.floats(tensor), Tensors.shape(tensor));
    }

    /** The sizes, {@code [B, C, H, W]}. */
    public long[] shape() {
        return shape.clone();
    }

    /** The values in row-major order, a copy. */
    public float[] values() {
        return values.clone();
    }

    /** A new fp32 tensor on the CPU; it belongs to the open scope. */
    public Tensor tensor() {
        return Tensors.of(values, shape);
    }
}
