package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** Images to the latents that a UNet sees, and back. Owns its weights. */
public sealed interface Autoencoder extends AutoCloseable permits AutoencoderKL, AutoencoderTiny {
    /** What diffusers calls TAESD. */
    String TINY = "AutoencoderTiny";

    /**
     * Builds the model that a config describes: its {@code _class_name} says which; that of Stable Diffusion if there is none.
     *
     * @param weights as for {@link AutoencoderKL#of}
     * @throws io.tome4j.tensor.TomeException as for {@link AutoencoderKL#of}
     */
    static Autoencoder of(Weights weights, Config config) {
        return config.text("_class_name", "").equals(TINY)
                ? AutoencoderTiny.of(weights, config)
                : AutoencoderKL.of(weights, config);
    }

    /** Pixels of the image along one side of a latent: 8. */
    int scale();

    /** Channels of the latents: 4. */
    int latentChannels();

    /** What it computes in. */
    DType dtype();

    /** Bytes of the weights. */
    long weightBytes();

    /** Whether it encodes images, and not only decodes latents. */
    boolean encodes();

    /**
     * Bytes that {@link #decode} needs besides the weights, about.
     *
     * @param height rows of latents
     * @param width columns of latents
     * @param tiled whether in tiles
     */
    long decodeBytes(long height, long width, boolean tiled);

    /**
     * Decodes latents into images.
     *
     * @param latents as the UNet and the schedulers have them, {@code [B, 4, h, w]}, in any dtype, on any device
     * @param tiled whether in overlapping tiles of 64x64 latents, which takes less memory and gives nearly the same
     * @return {@code [B, 3, 8h, 8w]}, about in [-1, 1] (not clamped), fp32, on the model's device
     */
    Tensor decode(Tensor latents, boolean tiled);

    /**
     * Encodes images; where the encoder gives a distribution, the latents are drawn from it (arXiv 1312.6114).
     *
     * @param images in [-1, 1], {@code [B, 3, 8h, 8w]}, in any dtype, on any device
     * @param tiled as for {@link #decode}
     * @param noise what is drawn from, {@code [B, 4, h, w]}
     * @return the latents as the UNet sees them, {@code [B, 4, h, w]} fp32 on the CPU
     */
    Tensor latents(Tensor images, boolean tiled, Generator noise);

    /**
     * Latents as they are without the means and deviations that a config may bring: scaled by the factor alone.
     *
     * @param latents as the UNet sees them, {@code [B, 4, h, w]} fp32 on the CPU
     * @return as many, in the open scope
     */
    default Tensor uncentred(Tensor latents) {
        return latents;
    }

    /** What {@link #uncentred} undoes. */
    default Tensor centred(Tensor latents) {
        return latents;
    }

    @Override
    void close();
}
