package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Box;
import io.tome4j.diffusion.pixels.Fitting;
import io.tome4j.diffusion.pixels.GaussianBlur;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * An image, and what is repainted of it, at a run's size. Draws from the seed's generator in the order of diffusers'
 * pipelines: the image's latents, the noise, the masked image's latents; each only if that pipeline draws it.
 */
final class PreparedImage implements PreparedStart {
    private final int steps;
    private final double strength;
    private final Pixels image; // RGB, at the run's size
    private final Pixels original; // as it was given, extended
    private final Optional<MaskPixels> mask;
    private final boolean pasteBack;

    /**
     * @param given as it was given, extended and blurred, RGB
     * @param atSize the same at the run's size, grey
     * @param box what of the image is painted at that size
     */
    private record MaskPixels(Pixels given, Pixels atSize, Optional<Box> box) {}

    private PreparedImage(Request request, Pixels image, Pixels original, Optional<MaskPixels> mask) {
        this.steps = request.steps();
        this.strength = request.strengthToRun();
        this.image = image;
        this.original = original;
        this.mask = mask;
        this.pasteBack = request.pasteBack();
    }

    static PreparedImage of(ImageStart start, Request request, TokenGrid grid) {
        int width = grid.width() * Request.PIXELS_PER_LATENT;
        int height = grid.height() * Request.PIXELS_PER_LATENT;
        Pixels given = start.image().pixels();
        Extension extension = Extension.of(request);
        Pixels original = extension.isNone() ? given : extension.around(given);
        Optional<Pixels> white = start.mask().map(SourceImage::pixels);
        if (!extension.isNone()) {
            white = Optional.of(
                    extension.around(given.width(), given.height(), white.orElseGet(() -> given.map(value -> 0))));
        }
        if (white.isEmpty()) {
            return new PreparedImage(
                    request, Resampling.LANCZOS.resize(original, width, height), original, Optional.empty());
        }
        Pixels blurred = GaussianBlur.of(white.get(), request.maskBlur());
        if (request.paddingMaskCrop() < 0) {
            Pixels atSize = Resampling.LANCZOS.resize(blurred, width, height).toGrey();
            return new PreparedImage(
                    request,
                    Resampling.LANCZOS.resize(original, width, height),
                    original,
                    Optional.of(new MaskPixels(blurred, atSize, Optional.empty())));
        }
        Box box = Fitting.around(blurred.toGrey(), width, height, request.paddingMaskCrop())
                .orElseThrow(() -> new OptionException(
                        "{mask} is black: there is nothing to crop to; white is what is repainted"));
        Pixels atSize = Fitting.fill(blurred.crop(box), width, height).toGrey();
        return new PreparedImage(
                request,
                Fitting.fill(original.crop(box), width, height),
                original,
                Optional.of(new MaskPixels(blurred, atSize, Optional.of(box))));
    }

    @Override
    public Trajectory trajectory(Scheduler scheduler) {
        return scheduler.start(steps, strength);
    }

    @Override
    public Beginning begin(Context context) {
        if (mask.isPresent()) {
            return inpainting(context, mask.get().atSize());
        }
        PreparedStart.requirePlain(context.denoiser());
        Tensor latents = latents(context, context.encoder(), ImageEncoder.tensor(image));
        return Beginning.of(noisy(context, latents, context.drawn()));
    }

    /** {@code [1, 4, H, W]}: where there are several rows, all begin with the same draw of the image's latents. */
    private static Tensor latents(Context context, ImageEncoder encoder, Tensor pixels) {
        return encoder.encode(pixels, context.tiled(), context.noise());
    }

    private static Tensor noisy(Context context, Tensor latents, Tensor noise) {
        return context.trajectory().addNoise(latents.repeat(context.images(), 1, 1, 1), noise, 0);
    }

    private Beginning inpainting(Context context, Pixels grey) {
        int channels = context.denoiser().latentChannels();
        boolean knowsMasks = context.denoiser().inputChannels() == 2 * channels + 1;
        if (!knowsMasks) {
            PreparedStart.requirePlain(context.denoiser());
        }
        boolean pureNoise = strength == 1;
        Tensor pixels = ImageEncoder.tensor(image);
        Tensor mask = binary(grey);
        ImageEncoder encoder = context.encoder().uncentred();
        Tensor latents = pureNoise && knowsMasks ? pixels : latents(context, encoder, pixels);
        Tensor noise = context.drawn();
        Tensor first = pureNoise ? context.scaled(noise) : noisy(context, latents, noise);
        Tensor small = nearest(grey, context.grid());
        if (knowsMasks) {
            Tensor masked = pixels.mul(mask.neg().add_(new org.bytedeco.pytorch.Scalar(1.0)));
            return new Beginning(first, new Repainting.MaskChannels(small, latents(context, encoder, masked)));
        }
        // The reference encodes the masked image, too, and leaves it out: what is drawn for it must be drawn.
        if (encoder.draws()) {
            try (var scope = TensorScope.open()) {
                Tensors.randn(context.noise(), Tensors.shape(latents));
            }
        }
        return new Beginning(first, new Repainting.Blending(latents.repeat(context.images(), 1, 1, 1), noise, small));
    }

    /** {@code [1, 1, height, width]}: 1 where the mask is at least half white, else 0. */
    private static Tensor binary(Pixels grey) {
        float[] values = new float[grey.width() * grey.height()];
        for (int i = 0; i < values.length; i++) {
            values[i] = isWhite(grey, i % grey.width(), i / grey.width()) ? 1 : 0;
        }
        return Tensors.of(values, 1, 1, grey.height(), grey.width());
    }

    /** {@code [1, 1, H, W]}: a latent is repainted if the first of its 8 x 8 pixels is. */
    private static Tensor nearest(Pixels grey, TokenGrid grid) {
        float[] values = new float[grid.tokens()];
        for (int i = 0; i < values.length; i++) {
            int x = i % grid.width() * Request.PIXELS_PER_LATENT;
            int y = i / grid.width() * Request.PIXELS_PER_LATENT;
            values[i] = isWhite(grey, x, y) ? 1 : 0;
        }
        return Tensors.of(values, 1, 1, grid.height(), grid.width());
    }

    private static boolean isWhite(Pixels grey, int x, int y) {
        return grey.at(x, y, 0) / 255f >= 0.5f;
    }

    @Override
    public Optional<Pixels> repainted() {
        return mask.map(MaskPixels::atSize);
    }

    @Override
    public BufferedImage finish(BufferedImage decoded) {
        if (mask.isEmpty()) {
            return decoded;
        }
        MaskPixels repainted = mask.get();
        if (repainted.box().isPresent()) {
            Box box = repainted.box().get();
            Pixels part = Fitting.crop(Pixels.of(decoded), box.width(), box.height());
            Pixels pasted = original.withPasted(part, box.left(), box.top());
            return original.blend(pasted, repainted.given().toGrey()).toBufferedImage();
        }
        return pasteBack ? image.blend(Pixels.of(decoded), repainted.atSize()).toBufferedImage() : decoded;
    }
}
