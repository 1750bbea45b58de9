package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * TAESD, an autoencoder that was distilled from Stable Diffusion's: nearly the same images for a small part of the work.
 * Computes the same as {@code diffusers.AutoencoderTiny}. Its latents are those that the UNet sees; there is no
 * distribution to draw from.
 */
public final class AutoencoderTiny implements AutoCloseable {
    private final Weights weights;
    private final TinyConfig config;
    private final TinyLayers encoder;
    private final TinyLayers decoder;

    private AutoencoderTiny(Weights weights, TinyConfig config) {
        this.weights = weights;
        this.config = config;
        this.encoder = TinyLayers.encoder(weights.scope("encoder.layers"), config);
        this.decoder = TinyLayers.decoder(weights.scope("decoder.layers"), config);
    }

    /**
     * Builds the model that a config describes.
     *
     * @param weights the root view of the tensors; the model takes it over and frees it when it is closed, or here if
     *     this fails
     * @param config {@code config.json}
     * @throws io.tome4j.tensor.TomeException if the config has a setting that is not supported, or the tensors do not
     *     fit it
     */
    public static AutoencoderTiny of(Weights weights, Config config) {
        try {
            AutoencoderTiny model = new AutoencoderTiny(weights, TinyConfig.of(config));
            weights.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Channels of the latents: 4, or 16 for later families. */
    public int latentChannels() {
        return config.latentChannels();
    }

    /** Pixels of the image along one side of a latent: 8. */
    public int scale() {
        return config.scale();
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /**
     * Decodes latents into images.
     *
     * @param latents as the UNet and the schedulers have them, {@code [B, 4, h, w]}, in any dtype, on any device
     * @return {@code [B, 3, 8h, 8w]}, about in [-1, 1] (not clamped), fp32, on the model's device
     * @throws IllegalArgumentException if the latents have another shape
     */
    public Tensor decode(Tensor latents) {
        requireShape("latents", latents, config.latentChannels(), 1);
        try (var scope = TensorScope.open()) {
            Scalar bound = new Scalar(config.latentMagnitude());
            Tensor bounded = latents.to(ScalarType.Float).div(bound).tanh_().mul_(bound);
            return scope.release(
                    fp32(decoder.forward(place(bounded))).mul_(new Scalar(2.0)).sub_(new Scalar(1.0)));
        }
    }

    /**
     * Encodes images.
     *
     * @param images in [-1, 1], {@code [B, 3, 8h, 8w]}, in any dtype, on any device
     * @return the latents as the UNet sees them, {@code [B, 4, h, w]}, fp32, on the model's device
     * @throws IllegalArgumentException if the images have another shape
     */
    public Tensor encode(Tensor images) {
        requireShape("images", images, config.inChannels(), config.scale());
        try (var scope = TensorScope.open()) {
            Tensor shares = images.to(ScalarType.Float).add(new Scalar(1.0)).div_(new Scalar(2.0));
            return scope.release(fp32(encoder.forward(place(shares))));
        }
    }

    private Tensor place(Tensor x) {
        return weights.placement().place(x).contiguous(MemoryFormat.ChannelsLast);
    }

    private Tensor fp32(Tensor x) {
        return x.to(weights.placement().torchDevice(), ScalarType.Float).contiguous();
    }

    private static void requireShape(String what, Tensor x, int channels, int multiple) {
        if (x.dim() != 4 || x.size(1) != channels || x.size(2) % multiple != 0 || x.size(3) % multiple != 0) {
            throw new IllegalArgumentException(what + " of the shape " + Arrays.toString(Tensors.shape(x))
                    + " instead of [B, " + channels + ", height, width]"
                    + (multiple == 1 ? "" : " with sides that " + multiple + " divides"));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
