package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.RenamedWeights;
import io.tome4j.models.tiles.Tiles;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * The autoencoder of Stable Diffusion 1.x, 2.x and XL (arXiv 2112.10752, section 3.1). Computes the same as
 * {@code diffusers.AutoencoderKL}, one image after the other.
 */
public final class AutoencoderKL implements Autoencoder {
    /** Latents along a tile, at most: what is no larger is coded as a whole in any case. */
    public static final long TILE = Tiles.SIZE;

    /** What feature maps take of the process against what they hold, and what no size changes: see docs/measurements.md. */
    private static final double DECODING_PIECES = 1.5;

    private static final long DECODING_BESIDES = 120_000_000;

    private static final double LEAST_LOG_VARIANCE = -30;
    private static final double GREATEST_LOG_VARIANCE = 20;

    private final Weights weights;
    private final VaeConfig config;
    private final Encoder encoder;
    private final @Nullable Conv2d quantConv;
    private final @Nullable Conv2d postQuantConv;
    private final Decoder decoder;

    private AutoencoderKL(Weights weights, VaeConfig config) {
        this.weights = weights;
        this.config = config;
        long latents = config.latentChannels();
        this.encoder = new Encoder(weights.scope("encoder"), config);
        this.quantConv =
                config.useQuantConv() ? Conv2d.of1x1(weights.scope("quant_conv"), 2 * latents, 2 * latents) : null;
        this.postQuantConv =
                config.usePostQuantConv() ? Conv2d.of1x1(weights.scope("post_quant_conv"), latents, latents) : null;
        this.decoder = new Decoder(weights.scope("decoder"), config);
    }

    /**
     * Builds the model that a config describes. Where it says {@code force_upcast}, as that of Stable Diffusion 1.x and
     * 2.x does, a model in fp16 computes in fp32: its activations may leave fp16's range, but not bf16's.
     *
     * @param weights the root view of the tensors; the model takes it over and frees it when it is closed, or here if
     *     this fails
     * @param config {@code vae/config.json}
     * @throws io.tome4j.tensor.TomeException if the config has a setting that is not supported, or the tensors do not
     *     fit it
     */
    public static AutoencoderKL of(Weights weights, Config config) {
        try {
            Weights current = weights.through(source -> RenamedWeights.of(source, AttentionBlock::currentName));
            AutoencoderKL model = build(current, VaeConfig.of(config));
            current.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private static AutoencoderKL build(Weights weights, VaeConfig config) {
        Placement placement = weights.placement();
        boolean upcast = config.forceUpcast() && placement.dtype() == DType.FP16;
        return new AutoencoderKL(upcast ? weights.placed(placement.dtype(DType.FP32)) : weights, config);
    }

    @Override
    public int scale() {
        return config.scale();
    }

    @Override
    public int latentChannels() {
        return config.latentChannels();
    }

    /** What the encoder's mean is multiplied with to give the latents that the UNet sees. */
    public double scalingFactor() {
        return config.scalingFactor();
    }

    @Override
    public DType dtype() {
        return weights.placement().dtype();
    }

    @Override
    public boolean encodes() {
        return true;
    }

    @Override
    public long weightBytes() {
        return weights.bytes();
    }

    /**
     * Bytes that {@link #decode(Tensor, boolean)} needs besides the weights, about: the largest feature maps, which
     * are those at the image's own size, and the image in fp32.
     *
     * @param height rows of latents
     * @param width columns of latents
     * @param tiled whether in tiles
     */
    @Override
    public long decodeBytes(long height, long width, boolean tiled) {
        long tileHeight = tiled ? Math.min(height, Tiles.SIZE) : height;
        long tileWidth = tiled ? Math.min(width, Tiles.SIZE) : width;
        long pixels = (long) config.scale() * config.scale();
        long first = config.blockOutChannels().get(0);
        long second = config.blockOutChannels().get(Math.min(1, config.levels() - 1));
        // doubles: at sizes that nobody has the memory for, the products are beyond a long
        double features = (2.0 * second + first) * weights.placement().elementSize(); // input, normalised, convolved
        double image = 4.0 * config.outChannels() * Float.BYTES; // coded, summed, converted
        double values = (double) tileHeight * tileWidth * features + (double) height * width * image;
        return (long) (DECODING_PIECES * pixels * values + DECODING_BESIDES);
    }

    /** {@link #decode(Tensor, boolean)} of each image as a whole. */
    public Tensor decode(Tensor latents) {
        return decode(latents, false);
    }

    /**
     * Decodes latents into images, one after the other.
     *
     * @param latents as the UNet and the schedulers have them (scaled by {@link #scalingFactor()}), {@code [B, 4, h, w]},
     *     in any dtype, on any device
     * @param tiled whether in overlapping tiles of 64x64 latents, which takes less memory and gives nearly the same
     * @return {@code [B, 3, 8h, 8w]}, about in [-1, 1] (not clamped), fp32, on the model's device
     */
    @Override
    public Tensor decode(Tensor latents, boolean tiled) {
        requireShape("latents", latents, config.latentChannels(), 1);
        try (var scope = TensorScope.open()) {
            Tensor unscaled = unscaled(fp32(latents));
            Tiles tiles = new Tiles(latents.size(2), latents.size(3), tiled);
            return scope.release(imageByImage(
                    unscaled, z -> tiles.run(z, 1, config.scale(), config.outChannels(), this::decodeTile)));
        }
    }

    /** {@code latents / scale}, or where the config says so {@code latents * std / scale + mean}; {@code [B, 4, h, w]}. */
    private Tensor unscaled(Tensor latents) {
        Scalar scale = new Scalar(config.scalingFactor());
        return config.latentsStd().isEmpty()
                ? latents.div(scale)
                : latents.mul(channels(config.latentsStd())).div(scale).add(channels(config.latentsMean()));
    }

    @Override
    public Tensor uncentred(Tensor latents) {
        if (config.latentsStd().isEmpty()) {
            return latents;
        }
        try (var scope = TensorScope.open()) {
            Tensor encoded = Placement.CPU_FP32.place(unscaled(fp32(latents)));
            return scope.release(encoded.mul(new Scalar(config.scalingFactor())));
        }
    }

    @Override
    public Tensor centred(Tensor latents) {
        if (config.latentsStd().isEmpty()) {
            return latents;
        }
        try (var scope = TensorScope.open()) {
            return scope.release(Placement.CPU_FP32.place(scaled(latents.div(new Scalar(config.scalingFactor())))));
        }
    }

    /**
     * Latents as the UNet sees them, of those that the encoder gives: what {@link #decode(Tensor)} undoes.
     *
     * @param latents {@code [B, 4, h, w]}, in any dtype
     * @return {@code [B, 4, h, w]} fp32, on the model's device
     */
    public Tensor scaled(Tensor latents) {
        try (var scope = TensorScope.open()) {
            Tensor given = fp32(latents);
            Scalar scale = new Scalar(config.scalingFactor());
            return scope.release(
                    config.latentsStd().isEmpty()
                            ? given.mul(scale)
                            : given.sub(channels(config.latentsMean()))
                                    .mul(scale)
                                    .div(channels(config.latentsStd())));
        }
    }

    /** {@code [1, 4, 1, 1]}. */
    private Tensor channels(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return fp32(Tensors.of(floats, 1, floats.length, 1, 1));
    }

    private Tensor decodeTile(Tensor z) {
        try (var scope = TensorScope.open()) {
            Tensor placed = place(z);
            return scope.release(fp32(decoder.forward(postQuantConv == null ? placed : postQuantConv.forward(placed))));
        }
    }

    /** {@link #encode(Tensor, boolean)} of each image as a whole. */
    public Tensor encode(Tensor images) {
        return encode(images, false);
    }

    /**
     * Encodes images, one after the other, into the moments of the normal distribution of their latents.
     *
     * @param images in [-1, 1], {@code [B, 3, 8h, 8w]}, in any dtype, on any device
     * @param tiled whether in overlapping tiles of 64x64 latents, which takes less memory and gives nearly the same
     * @return {@code [B, 8, h, w]}, fp32, on the model's device: the means in the first 4 channels, the logarithms of the
     *     variances in the last 4; neither scaled nor clamped
     */
    public Tensor encode(Tensor images, boolean tiled) {
        int scale = config.scale();
        requireShape("images", images, config.inChannels(), scale);
        try (var scope = TensorScope.open()) {
            long height = images.size(2) / scale;
            long width = images.size(3) / scale;
            Tiles tiles = new Tiles(height, width, tiled);
            return scope.release(imageByImage(
                    fp32(images), x -> tiles.run(x, scale, 1, 2L * config.latentChannels(), this::encodeTile)));
        }
    }

    @Override
    public Tensor latents(Tensor images, boolean tiled, Generator noise) {
        try (var scope = TensorScope.open()) {
            Tensor moments = Placement.CPU_FP32.place(encode(images, tiled));
            int channels = latentChannels();
            Tensor mean = Tensors.slice(moments, 1, 0, channels);
            Tensor deviation = Tensors.slice(moments, 1, channels, 2L * channels)
                    .clamp(
                            new ScalarOptional(new Scalar(LEAST_LOG_VARIANCE)),
                            new ScalarOptional(new Scalar(GREATEST_LOG_VARIANCE)))
                    .mul_(new Scalar(0.5))
                    .exp_();
            Tensor drawn = Tensors.randn(noise, Tensors.shape(mean));
            return scope.release(
                    Placement.CPU_FP32.place(scaled(deviation.mul(drawn).add_(mean))));
        }
    }

    private Tensor encodeTile(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor moments = encoder.forward(place(x));
            return scope.release(fp32(quantConv == null ? moments : quantConv.forward(moments)));
        }
    }

    private Tensor imageByImage(Tensor batch, UnaryOperator<Tensor> code) {
        Tensor[] results = new Tensor[(int) batch.size(0)];
        for (int number = 0; number < results.length; number++) {
            results[number] = code.apply(Tensors.slice(batch, 0, number, number + 1));
        }
        return results.length == 1 ? results[0] : Tensors.cat(0, results);
    }

    private Tensor place(Tensor x) {
        return weights.placement().place(x).contiguous(MemoryFormat.ChannelsLast);
    }

    private Tensor fp32(Tensor x) {
        return x.to(weights.placement().torchDevice(), ScalarType.Float);
    }

    private static void requireShape(String what, Tensor x, int channels, int multiple) {
        boolean fits = x.dim() == 4
                && x.size(0) > 0
                && x.size(1) == channels
                && x.size(2) > 0
                && x.size(3) > 0
                && x.size(2) % multiple == 0
                && x.size(3) % multiple == 0;
        if (!fits) {
            throw new IllegalArgumentException(
                    what + " of the shape " + Arrays.toString(Tensors.shape(x)) + " instead of [B, " + channels
                            + ", height, width]" + (multiple == 1 ? "" : " with sides that " + multiple + " divides"));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
