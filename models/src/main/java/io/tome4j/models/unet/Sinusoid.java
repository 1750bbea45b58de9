package io.tome4j.models.unet;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * A number as sines and cosines of many frequencies (arXiv 2006.11239, after 1706.03762).
 *
 * @param size how many
 * @param flipSinToCos whether the cosines come first
 * @param freqShift shift of the frequencies
 */
record Sinusoid(int size, boolean flipSinToCos, int freqShift) {
    private static final double MAX_PERIOD = 10_000;

    /** @return {@code [numbers, size]} fp32: half sines, half cosines, and a zero where the size is odd */
    Tensor of(double... numbers) {
        try (var scope = TensorScope.open()) {
            Tensor[] rows = Arrays.stream(numbers).mapToObj(this::row).toArray(Tensor[]::new);
            return scope.release(Tensors.cat(0, rows));
        }
    }

    private Tensor row(double number) {
        int half = size / 2;
        int sineOffset = flipSinToCos ? half : 0;
        int cosineOffset = half - sineOffset;
        float[] values = new float[size];
        for (int i = 0; i < half; i++) {
            // fp32 at each stage, as the reference computes it
            float exponent = (float) -Math.log(MAX_PERIOD) * i / (half - freqShift);
            float angle = (float) number * (float) Math.exp(exponent);
            values[sineOffset + i] = (float) Math.sin(angle);
            values[cosineOffset + i] = (float) Math.cos(angle);
        }
        return Tensors.of(values, 1, values.length);
    }
}
