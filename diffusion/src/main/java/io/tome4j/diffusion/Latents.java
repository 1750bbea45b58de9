package io.tome4j.diffusion;

import io.tome4j.tensor.Tensors;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
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

    /**
     * Those of several images, one after the other.
     *
     * @param parts at least one, all of the same shape but for the number of images
     */
    static Latents join(List<Latents> parts) {
        long[] shape = parts.get(0).shape();
        shape[0] = parts.stream().mapToLong(part -> part.shape[0]).sum();
        FloatBuffer all = FloatBuffer.allocate(
                parts.stream().mapToInt(part -> part.values.length).sum());
        parts.forEach(part -> all.put(part.values));
        return new Latents(all.array(), shape);
    }

    /** Those of one image, {@code [1, C, H, W]}. */
    Latents of(int image) {
        long[] one = shape();
        one[0] = 1;
        int length = values.length / Math.toIntExact(shape[0]);
        return new Latents(Arrays.copyOfRange(values, image * length, (image + 1) * length), one);
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
