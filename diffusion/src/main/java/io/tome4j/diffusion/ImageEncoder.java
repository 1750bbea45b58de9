package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.models.vae.AutoencoderKL;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Images to latents. Whoever made the VAE closes it.
 *
 * @param vae the network
 * @param centred whether the means and deviations that a VAE may bring are taken out, as of its decoder they are put back
 */
record ImageEncoder(Autoencoder vae, boolean centred) {
    /** Whether it gives a distribution, of which latents are drawn; TAESD gives latents. */
    boolean draws() {
        return vae instanceof AutoencoderKL;
    }

    /** As diffusers' inpainting pipelines encode: by the scaling factor alone, whatever the VAE brings. */
    ImageEncoder uncentred() {
        return new ImageEncoder(vae, false);
    }

    /**
     * An image as the encoder takes it.
     *
     * @param image RGB
     * @return {@code [1, 3, height, width]} in [-1, 1], fp32 on the CPU, in the open scope
     */
    static Tensor tensor(Pixels image) {
        byte[] values = image.values();
        int plane = image.width() * image.height();
        float[] planes = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            planes[i % 3 * plane + i / 3] = 2 * ((values[i] & 0xff) / 255f) - 1;
        }
        return Tensors.of(planes, 1, 3, image.height(), image.width());
    }

    /**
     * Latents of an image, drawn.
     *
     * @param pixels {@code [1, 3, 8H, 8W]} in [-1, 1]
     * @param tiled whether in tiles, which is nearly the same
     * @param noise what is drawn from
     * @return {@code [1, 4, H, W]} fp32 on the CPU, as the denoiser has them, in the open scope
     * @throws io.tome4j.tensor.TomeException if they are not finite numbers
     */
    Tensor encode(Tensor pixels, boolean tiled, Generator noise) {
        try (var scope = TensorScope.open()) {
            Tensor drawn = vae.latents(pixels, tiled, noise);
            Tensor latents = centred ? drawn : vae.uncentred(drawn);
            Finite.require(latents, "The encoder's latents are not made of numbers (NaN or infinite)");
            return scope.release(latents);
        }
    }
}
