package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** A finished image, with the parameters it was made from. */
public final class Image {
    private final BufferedImage pixels;
    private final String parameters;

    Image(BufferedImage pixels, String parameters) {
        this.pixels = pixels;
        this.parameters = parameters;
    }

    /**
     * The pixels of what the decoder gives for one image.
     *
     * @param decoded {@code [3, H, W]} in [-1, 1]; values outside are clamped
     */
    static BufferedImage pixels(Tensor decoded) {
        int height = (int) decoded.size(1);
        int width = (int) decoded.size(2);
        try (var scope = TensorScope.open()) {
            Tensor bytes = decoded.to(org.bytedeco.pytorch.global.torch.ScalarType.Float)
                    .div(new Scalar(2.0))
                    .add_(new Scalar(0.5))
                    .clamp_(
                            new org.bytedeco.pytorch.ScalarOptional(new Scalar(0.0)),
                            new org.bytedeco.pytorch.ScalarOptional(new Scalar(1.0)))
                    .mul_(new Scalar(255.0))
                    .round_();
            float[] planes = Tensors.floats(bytes);
            BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            int plane = width * height;
            for (int i = 0; i < plane; i++) {
                int rgb = (int) planes[i] << 16 | (int) planes[plane + i] << 8 | (int) planes[2 * plane + i];
                image.setRGB(i % width, i / width, rgb);
            }
            return image;
        }
    }

    public int width() {
        return pixels.getWidth();
    }

    public int height() {
        return pixels.getHeight();
    }

    /** What the image was made from, in the form that A1111's web UI reads. */
    public String parameters() {
        return parameters;
    }

    /** A copy for use with Java's own image classes. */
    public BufferedImage toBufferedImage() {
        BufferedImage copy = new BufferedImage(width(), height(), BufferedImage.TYPE_INT_RGB);
        copy.setData(pixels.getRaster());
        return copy;
    }

    /** The bytes of a PNG that carries {@link #parameters()}. */
    public byte[] png() {
        return PngFiles.bytes(pixels, parameters);
    }

    /**
     * Writes a PNG that carries {@link #parameters()}. The file is written beside and renamed: it is there whole, or not
     * at all.
     *
     * @throws io.tome4j.tensor.TomeException if it cannot be written
     */
    public void save(Path file) {
        PngFiles.write(pixels, parameters, file);
    }
}
