package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.models.singlefile.UpscalerFile;
import io.tome4j.models.upscale.RrdbNet;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Enlarges images by a network: an ESRGAN or Real-ESRGAN in a safetensors file.
 *
 * <pre>{@code
 * try (ImageUpscaler upscaler = ImageUpscaler.open(Path.of("4x-model.safetensors"), Placement.CPU_FP32)) {
 *     Pixels large = upscaler.enlarge(image);
 * }
 * }</pre>
 *
 * <p>Owns the network's memory until it is closed.
 */
public final class ImageUpscaler implements AutoCloseable {
    /** As often as A1111's web UI goes over an image to reach a size. */
    private static final int MOST_PASSES = 3;

    private final RrdbNet net;

    private ImageUpscaler(RrdbNet net) {
        this.net = net;
    }

    /**
     * Reads a network.
     *
     * @throws io.tome4j.tensor.TomeException if the file is none, saying what it is
     */
    public static ImageUpscaler open(Path file, Placement placement) {
        return new ImageUpscaler(UpscalerFile.of(file).load(placement));
    }

    /** How many times wider and higher images become. */
    public int scale() {
        return net.scale();
    }

    /**
     * An image as much larger as the network makes it.
     *
     * @param image RGB
     */
    public Pixels enlarge(Pixels image) {
        try (var scope = TensorScope.open()) {
            Tensor shares =
                    ImageEncoder.tensor(image).add_(new Scalar(1.0)).div_(new Scalar(2.0)); // [1, 3, h, w] in [0, 1]
            return pixels(net.enlarge(shares));
        }
    }

    /**
     * An image of a size: enlarged as often as it takes, three times at most, and then resampled (Lanczos), as A1111's web UI
     * does.
     *
     * @param image RGB
     * @param width in pixels
     * @param height in pixels
     */
    public Pixels enlarge(Pixels image, int width, int height) {
        Pixels enlarged = image;
        for (int i = 0; i < MOST_PASSES && (i == 0 || enlarged.width() < width || enlarged.height() < height); i++) {
            enlarged = enlarge(enlarged);
            if (scale() == 1) {
                break;
            }
        }
        return enlarged.width() == width && enlarged.height() == height
                ? enlarged
                : Resampling.LANCZOS.resize(enlarged, width, height);
    }

    /**
     * An image in a file, enlarged; it keeps the parameters that the file carries.
     *
     * @throws TomeException if the file cannot be read, or is no image
     */
    public Image enlarge(Path file) {
        Pixels enlarged = enlarge(SourceImage.read(file).pixels().toRgb());
        return new Image(enlarged.toBufferedImage(), parameters(file));
    }

    private static String parameters(Path file) {
        try {
            return ImageTexts.read(file);
        } catch (TomeException e) {
            return ""; // most images of others have none
        }
    }

    private static Pixels pixels(Tensor image) {
        try (var scope = TensorScope.open()) {
            float[] shares = Tensors.floats(image.permute(0, 2, 3, 1)); // [1, H, W, 3]
            byte[] values = new byte[shares.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (byte) Math.rint(255f * Math.min(1f, Math.max(0f, shares[i])));
            }
            return Pixels.rgb((int) image.size(3), (int) image.size(2), values);
        }
    }

    @Override
    public void close() {
        net.close();
    }
}
