package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** Control images as nets see them. */
final class ControlImages {
    private static final float WHITE = 255;

    private ControlImages() {}

    /**
     * As diffusers prepares it: RGB, brought to the size by PIL's Lanczos, and not centred.
     *
     * @return {@code [1, 3, height, width]} fp32 in [0, 1], in the open scope
     */
    static Tensor tensor(Pixels image, int width, int height) {
        Pixels sized = Resampling.LANCZOS.resize(image.toRgb(), width, height);
        float[] values = new float[3 * height * width];
        for (int band = 0; band < 3; band++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    values[(band * height + y) * width + x] = sized.at(x, y, band) / WHITE;
                }
            }
        }
        return Tensors.of(values, 1, 3, height, width);
    }
}
