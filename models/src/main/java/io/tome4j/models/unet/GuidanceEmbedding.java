package io.tome4j.models.unet;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * How a model that was distilled from a guided one is told the guidance scale (arXiv 2310.04378, section 4.2): by sines and
 * cosines of it.
 */
final class GuidanceEmbedding {
    private static final double LONGEST_PERIOD = 10_000;
    private static final float SCALE = 1000;

    private GuidanceEmbedding() {}

    /**
     * @param guidanceScale as for classifier-free guidance, where 1 is none
     * @param size of the embedding
     * @return {@code [1, size]} fp32 on the CPU: sines, cosines, and a zero if the size is odd
     */
    static Tensor of(double guidanceScale, int size) {
        int half = size / 2;
        float[] values = new float[size];
        float w = (float) (guidanceScale - 1) * SCALE;
        float step = (float) Math.log(LONGEST_PERIOD) / (half - 1);
        for (int i = 0; i < half; i++) {
            float angle = w * (float) Math.exp(i * -step);
            values[i] = (float) Math.sin(angle);
            values[half + i] = (float) Math.cos(angle);
        }
        try (var scope = TensorScope.open()) {
            return scope.release(Tensors.of(values, 1, size));
        }
    }
}
