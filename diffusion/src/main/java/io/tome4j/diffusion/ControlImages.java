package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/** Images as the networks that go by them see them. */
final class ControlImages {
    private static final float WHITE = 255;

    private ControlImages() {}

    /**
     * As diffusers prepares it: brought to the size by PIL's Lanczos, and not centred.
     *
     * @return {@code [1, bands, height, width]} fp32 in [0, 1], in the open scope
     */
    static Tensor tensor(Pixels image, int width, int height) {
        Pixels sized = Resampling.LANCZOS.resize(image, width, height);
        int bands = image.bands();
        float[] values = new float[bands * height * width];
        for (int band = 0; band < bands; band++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    values[(band * height + y) * width + x] = sized.at(x, y, band) / WHITE;
                }
            }
        }
        return Tensors.of(values, 1, bands, height, width);
    }
}
