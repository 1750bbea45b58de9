package io.tome4j.diffusion;

import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Small images of latents, far cheaper than the decoder's: a pixel's colour is a linear function of its latent. The function
 * is fitted to what the pipeline's own VAE makes of patches of random colours, so that it suits any model.
 */
final class LinearPreview implements LatentPreview {
    private static final int PATCHES = 4; // along a side of the images that it is fitted to
    private static final int PATCH = 2; // latents along a side of one
    private static final int FITTED_TO = 2; // images
    private static final int EDGE = 4; // latents along a side of a patch of colour
    private static final int ENCODED = 8; // images of such patches

    private final int channels;
    private final float[] weights; // [channels + 1, 3], the last row is what no latent changes

    private LinearPreview(int channels, float[] weights) {
        this.channels = channels;
        this.weights = weights;
    }

    /**
     * Fits it to a decoder.
     *
     * @param decoder {@code [B, channels, h, w]} to {@code [B, 3, scale * h, scale * w]}, about in [-1, 1]
     */
    static LinearPreview fitted(int channels, int scale, UnaryOperator<Tensor> decoder) {
        try (var scope = TensorScope.open();
                Generator generator = Tensors.generator(0)) {
            // Patches of several latents: the decoder's colour of one depends on those around it, too.
            long side = PATCHES * PATCH;
            Tensor patches = torch.upsample_nearest2d(
                    Tensors.randn(generator, FITTED_TO, channels, PATCHES, PATCHES), side, side);
            return of(patches, decoder.apply(patches), scale);
        }
    }

    /**
     * Fits it to the latents that an autoencoder has for patches of random colours, and to what it makes of them: latents of
     * images are not any latents. One that cannot encode is taken as {@link #fitted}.
     */
    static LinearPreview of(Autoencoder vae) {
        if (!vae.encodes()) {
            return fitted(vae.latentChannels(), vae.scale(), latents -> vae.decode(latents, false));
        }
        try (var scope = TensorScope.open();
                Generator generator = Tensors.generator(0)) {
            // Larger patches than of random latents: at their edges an encoder's latents are of neither colour.
            long side = 2L * EDGE * vae.scale();
            Tensor colours = Tensors.randn(generator, ENCODED, 3, 2, 2).tanh_(); // all of [-1, 1]
            Tensor latents = vae.latents(torch.upsample_nearest2d(colours, side, side), false, generator);
            return of(latents, vae.decode(latents, false), vae.scale());
        }
    }

    /** Fits it to latents, {@code [B, C, h, w]}, and their images. */
    private static LinearPreview of(Tensor latents, Tensor decoded, int scale) {
        Tensor images = decoded.cpu().clamp_(optional(-1), optional(1));
        Tensor colours = torch.avg_pool2d(images, scale, scale); // [B, 3, h, w]
        var solution = torch.linalg_lstsq(withOne(byPixel(latents)), byPixel(colours));
        return new LinearPreview((int) latents.size(1), Tensors.floats(solution.get0()));
    }

    /** One pixel a latent. */
    @Override
    public List<BufferedImage> images(Tensor latents) {
        requireShape(latents, channels);
        try (var scope = TensorScope.open()) {
            Tensor colours = withOne(byPixel(latents.to(ScalarType.Float).cpu()))
                    .matmul(Tensors.of(weights, channels + 1, 3))
                    .reshape(latents.size(0), latents.size(2), latents.size(3), 3)
                    .permute(0, 3, 1, 2)
                    .contiguous(); // [B, 3, h, w]
            List<BufferedImage> images = new ArrayList<>();
            for (long i = 0; i < colours.size(0); i++) {
                images.add(Image.pixels(colours.select(0, i)));
            }
            return List.copyOf(images);
        }
    }

    /** @throws IllegalArgumentException if latents are not {@code [B, channels, h, w]} */
    static void requireShape(Tensor latents, int channels) {
        if (latents.dim() != 4 || latents.size(0) == 0 || latents.size(1) != channels) {
            throw new IllegalArgumentException("Latents of the shape " + Arrays.toString(Tensors.shape(latents))
                    + " instead of [B, " + channels + ", height, width]");
        }
    }

    /** {@code [B, C, h, w]} to {@code [B * h * w, C]}. */
    private static Tensor byPixel(Tensor x) {
        return x.permute(0, 2, 3, 1).reshape(-1, x.size(1));
    }

    private static Tensor withOne(Tensor rows) {
        return Tensors.cat(1, rows, torch.ones(new long[] {rows.size(0), 1}, Tensors.fp32()));
    }

    private static ScalarOptional optional(double value) {
        return new ScalarOptional(new Scalar(value));
    }
}
