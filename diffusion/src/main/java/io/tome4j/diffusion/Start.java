package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import java.util.Optional;

/** What denoising begins with. A new way to begin is a class that this permits. */
public sealed interface Start permits Start.Noise, Start.Given, ImageStart {
    /** Noise, drawn from the seed. */
    static Start noise() {
        return new Noise();
    }

    /**
     * Given latents instead of drawn ones.
     *
     * @param latents standard normal, {@code [images, 4, height/8, width/8]}
     */
    static Start from(Latents latents) {
        return new Given(latents);
    }

    /**
     * An image with noise: as {@code diffusers.StableDiffusionImg2ImgPipeline}, with a {@linkplain ImageStart#repainting mask}
     * as {@code StableDiffusionInpaintPipeline}. A request that does not say its size gets the image's own, each side rounded
     * down to a multiple of 8; otherwise the image is brought to the request's size.
     *
     * @param strength in (0, 1]: which share of the steps is run, and how much noise there is in the beginning
     */
    static ImageStart from(SourceImage image, double strength) {
        return ImageStart.of(image).withStrength(strength);
    }

    /** As {@link #from(SourceImage, double)}, with the request's own strength, or what is usual. */
    static ImageStart from(SourceImage image) {
        return ImageStart.of(image);
    }

    /**
     * Gets ready for a run.
     *
     * @param request with its size set
     * @param grid rows and columns of the latents
     * @throws io.tome4j.tensor.TomeException if an image cannot be begun with
     */
    PreparedStart prepare(Request request, TokenGrid grid);

    /**
     * What one of several images begins with, where each is made by itself.
     *
     * @param image from 0
     * @param images how many there are
     * @throws IllegalArgumentException if what was given is not for so many
     */
    default Start of(int image, int images) {
        return this;
    }

    /** Whether denoising begins with an image's latents rather than with noise. */
    default boolean beginsWithImage() {
        return !(this instanceof Noise || this instanceof Given);
    }

    /** Whether the request's text, and the source images that it names, make the image again. */
    default boolean isInText() {
        return true;
    }

    /** The size that is natural to it, where no size was asked for. */
    default Optional<TokenGrid> ownGrid(Request request) {
        return Optional.empty();
    }

    /** The request that a start was put into, with what the start itself says. */
    default Request in(Request request) {
        return request;
    }

    /** The images that it takes in. */
    default Sources sources() {
        return Sources.NONE;
    }

    /** @see #noise() */
    record Noise() implements Start {
        @Override
        public PreparedStart prepare(Request request, TokenGrid grid) {
            return new PreparedStart.Noise(request);
        }
    }

    /**
     * @param latents standard normal
     * @see #from(Latents)
     */
    record Given(Latents latents) implements Start {
        @Override
        public PreparedStart prepare(Request request, TokenGrid grid) {
            return new PreparedStart.Given(request, latents);
        }

        @Override
        public Start of(int image, int images) {
            if (latents.shape()[0] != images) {
                throw new IllegalArgumentException("The initial latents are those of " + latents.shape()[0]
                        + " images where this request is for " + images);
            }
            return new Given(latents.of(image));
        }

        @Override
        public boolean isInText() {
            return false;
        }
    }
}
