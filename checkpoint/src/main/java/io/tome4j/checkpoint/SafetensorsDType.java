package io.tome4j.checkpoint;

import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** The element types of safetensors files that Stable Diffusion checkpoints use, under the names the format gives them. */
enum SafetensorsDType {
    F64(8, ScalarType.Double),
    F32(4, ScalarType.Float),
    F16(2, ScalarType.Half),
    BF16(2, ScalarType.BFloat16),
    F8_E4M3(1, ScalarType.Float8_e4m3fn),
    F8_E5M2(1, ScalarType.Float8_e5m2),
    I64(8, ScalarType.Long),
    I32(4, ScalarType.Int),
    I16(2, ScalarType.Short),
    I8(1, ScalarType.Char),
    U8(1, ScalarType.Byte),
    BOOL(1, ScalarType.Bool);

    private final int bytes;
    private final ScalarType scalarType;

    SafetensorsDType(int bytes, ScalarType scalarType) {
        this.bytes = bytes;
        this.scalarType = scalarType;
    }

    /** Bytes of one element. */
    int bytes() {
        return bytes;
    }

    ScalarType scalarType() {
        return scalarType;
    }

    static @Nullable SafetensorsDType named(String name) {
        return Arrays.stream(values())
                .filter(dtype -> dtype.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** The type that holds what the tensor holds, or {@code null} if the format has none that we know. */
    static @Nullable SafetensorsDType of(Tensor tensor) {
        ScalarType type = Tensors.dtype(tensor);
        return Arrays.stream(values())
                .filter(dtype -> dtype.scalarType == type)
                .findFirst()
                .orElse(null);
    }

    static String names() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }
}
