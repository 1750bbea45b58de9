package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Arithmetic of latents with fp32 numbers. Results belong to the scope that is open. */
final class LatentMath {
    private LatentMath() {}

    static Tensor times(Tensor x, float factor) {
        return x.mul(new Scalar(factor));
    }

    static Tensor over(Tensor x, float divisor) {
        return x.div(new Scalar(divisor));
    }

    static Tensor fp32(Tensor x) {
        return Tensors.dtype(x) == ScalarType.Float ? x : x.to(ScalarType.Float);
    }

    /** Standard normal noise of a tensor's shape, drawn on the CPU so that every device sees the same numbers. */
    static Tensor noiseLike(Tensor x, Generator generator) {
        Tensor noise = Tensors.randn(generator, Tensors.shape(x));
        return x.is_cpu() ? noise : noise.to(x.device(), ScalarType.Float);
    }
}
