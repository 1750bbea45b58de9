package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Images as tensors. */
final class PixelTensors {
    private PixelTensors() {}

    /** The channels red, green, blue in whole numbers from 0 to 255, {@code [1, 3, H, W]} fp32; alpha is left out. */
    static Tensor levels(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        int[] pixels = image.getRGB(0, 0, width, height, null, 0, width);
        float[] values = new float[3 * pixels.length];
        for (int channel = 0; channel < 3; channel++) {
            int shift = 16 - 8 * channel;
            for (int i = 0; i < pixels.length; i++) {
                values[channel * pixels.length + i] = pixels[i] >> shift & 0xff;
            }
        }
        return Tensors.of(values, 1, 3, height, width);
    }

    /** As {@link #levels}, but from {@code low} for 0 to {@code high} for 255. */
    static Tensor scaled(BufferedImage image, double low, double high) {
        try (var scope = TensorScope.open()) {
            return scope.release(
                    levels(image).mul_(new Scalar((high - low) / 255)).add_(new Scalar(low)));
        }
    }
}
