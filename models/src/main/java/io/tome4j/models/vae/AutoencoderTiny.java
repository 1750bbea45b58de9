package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import io.tome4j.models.tiles.Tiles;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * TAESD, an autoencoder that was distilled from Stable Diffusion's: nearly the same images for a small part of the work.
 * Computes the same as {@code diffusers.AutoencoderTiny}. Its latents are those that the UNet sees; there is no
 * distribution to draw from.
 */
public final class AutoencoderTiny implements Autoencoder {
    private static final String FIRST_OF_ENCODER = "encoder.layers.0.weight";

    private final Weights weights;
    private final TinyConfig config;
    private final @Nullable TinyLayers encoder; // none where only the decoder is there
    private final TinyLayers decoder;

    private AutoencoderTiny(Weights weights, TinyConfig config) {
        this.weights = weights;
        this.config = config;
        this.encoder =
                weights.has(FIRST_OF_ENCODER) ? TinyLayers.encoder(weights.scope("encoder.layers"), config) : null;
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
    @Override
    public int latentChannels() {
        return config.latentChannels();
    }

    @Override
    public int scale() {
        return config.scale();
    }

    @Override
    public DType dtype() {
        return weights.placement().dtype();
    }

    @Override
    public boolean encodes() {
        return encoder != null;
    }

    @Override
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

    @Override
    public Tensor decode(Tensor latents, boolean tiled) {
        try (var scope = TensorScope.open()) {
            Tiles tiles = new Tiles(latents.size(2), latents.size(3), tiled);
            return scope.release(tiles.run(latents, 1, config.scale(), config.outChannels(), this::decode));
        }
    }

    @Override
    public long decodeBytes(long height, long width, boolean tiled) {
        double tokens =
                tiled ? Math.min(height, Tiles.SIZE) * (double) Math.min(width, Tiles.SIZE) : (double) height * width;
        double scale = (double) config.scale() * config.scale();
        double maps = 3.0
                * config.width()
                * weights.placement().elementSize(); // what comes in, a block's middle, what goes out
        double image = 3.0 * config.outChannels() * Float.BYTES;
        return (long) (scale * (tokens * maps + (double) height * width * image));
    }

    @Override
    public Tensor latents(Tensor images, boolean tiled, Generator noise) {
        try (var scope = TensorScope.open()) {
            int scale = config.scale();
            Tiles tiles = new Tiles(images.size(2) / scale, images.size(3) / scale, tiled);
            return scope.release(
                    Placement.CPU_FP32.place(tiles.run(images, scale, 1, config.latentChannels(), this::encode)));
        }
    }

    /**
     * Encodes images.
     *
     * @param images in [-1, 1], {@code [B, 3, 8h, 8w]}, in any dtype, on any device
     * @return the latents as the UNet sees them, {@code [B, 4, h, w]}, fp32, on the model's device
     * @throws IllegalArgumentException if the images have another shape
     * @throws TomeException if only the decoder is there
     */
    public Tensor encode(Tensor images) {
        TinyLayers present = encoder;
        if (present == null) {
            throw TomeException.about(
                    "vae",
                    "This VAE decodes latents alone, so that no run can begin with an image: its encoder is missing,"
                            + " which some have in a file of its own.");
        }
        requireShape("images", images, config.inChannels(), config.scale());
        try (var scope = TensorScope.open()) {
            Tensor shares = images.to(ScalarType.Float).add(new Scalar(1.0)).div_(new Scalar(2.0));
            return scope.release(fp32(present.forward(place(shares))));
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
