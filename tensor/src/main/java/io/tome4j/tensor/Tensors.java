package io.tome4j.tensor;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Short ways to say what the bindings say at length. Results belong to the scope that is open. */
public final class Tensors {
    private Tensors() {}

    /** {@code x[..., from:to, ...]} along a dimension: a view. */
    public static Tensor slice(Tensor x, long dim, long from, long to) {
        return x.slice(dim, new LongOptional(from), new LongOptional(to), 1);
    }

    /** Tensors joined along a dimension. */
    public static Tensor cat(long dim, Tensor... parts) {
        return torch.cat(new TensorVector(parts), dim);
    }

    /** The sizes of a tensor. */
    public static long[] shape(Tensor x) {
        long[] shape = new long[(int) x.dim()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = x.size(i);
        }
        return shape;
    }

    /**
     * The dtype of a tensor as one of the enum's constants. The bindings' own {@code scalar_type()} gives an object that
     * equals none of them.
     */
    public static ScalarType dtype(Tensor x) {
        return x.scalar_type().intern();
    }

    /** An fp32 tensor on the CPU with these values. */
    public static Tensor of(float[] values, long... shape) {
        try (var scope = TensorScope.open()) {
            Tensor tensor = torch.empty(shape, fp32(), new MemoryFormatOptional());
            new FloatPointer(tensor.data_ptr()).put(values);
            return scope.release(tensor);
        }
    }

    /** Options of what we make: an application may have another default dtype than fp32. */
    public static TensorOptions fp32() {
        return new TensorOptions(ScalarType.Float);
    }

    /** An int64 tensor on the CPU with these values. */
    public static Tensor of(long[] values, long... shape) {
        try (var scope = TensorScope.open()) {
            Tensor tensor = torch.zeros(shape, new TensorOptions(ScalarType.Long));
            new LongPointer(tensor.data_ptr()).put(values);
            return scope.release(tensor);
        }
    }

    /** The values of a tensor, converted to fp32, in row-major order. */
    public static float[] floats(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor flat = Placement.CPU_FP32.place(x).contiguous();
            float[] values = new float[(int) flat.numel()];
            if (values.length > 0) { // an empty tensor has no data to point to
                new FloatPointer(flat.data_ptr()).get(values);
            }
            return values;
        }
    }

    /** The values of an integer tensor, in row-major order. */
    public static long[] longs(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor flat = x.to(new org.bytedeco.pytorch.Device(torch.DeviceType.CPU), ScalarType.Long)
                    .contiguous();
            long[] values = new long[(int) flat.numel()];
            if (values.length > 0) {
                new LongPointer(flat.data_ptr()).get(values);
            }
            return values;
        }
    }

    /** Standard normal fp32 noise on the CPU: what {@code torch.randn(shape, generator=generator)} draws. */
    public static Tensor randn(Generator generator, long... shape) {
        try (var scope = TensorScope.open()) {
            return scope.release(torch.randn(shape, new GeneratorOptional(generator), fp32()));
        }
    }

    /** A CPU generator in the state of {@code torch.Generator("cpu").manual_seed(seed)}; close it, or leave it to the scope. */
    public static Generator generator(long seed) {
        return torch.make_generator_cpu(seed);
    }

    /** Where a tensor's first element lies. */
    static long address(Tensor x) {
        return x.data_ptr().address();
    }
}
