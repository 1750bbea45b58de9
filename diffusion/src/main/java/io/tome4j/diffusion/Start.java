package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** What denoising begins with. A new way to begin is a class that this permits. */
public sealed interface Start {
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
     * The latents before the first step, without the scheduler's initial scale.
     *
     * @param images how many
     * @param channels of the latents
     * @param grid their rows and columns
     * @param generator of the seed; what the steps draw comes after what is drawn here
     * @return {@code [images, channels, grid]} fp32 on the CPU, in the open scope
     * @throws IllegalArgumentException if what was given has another shape
     */
    Tensor latents(int images, int channels, TokenGrid grid, Generator generator);

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

    /** Whether the request's text alone makes the image again. */
    default boolean isInText() {
        return true;
    }

    /** @see #noise() */
    record Noise() implements Start {
        @Override
        public Tensor latents(int images, int channels, TokenGrid grid, Generator generator) {
            return Tensors.randn(generator, images, channels, grid.height(), grid.width());
        }
    }

    /**
     * @param latents standard normal
     * @see #from(Latents)
     */
    record Given(Latents latents) implements Start {
        @Override
        public Tensor latents(int images, int channels, TokenGrid grid, Generator generator) {
            long[] shape = {images, channels, grid.height(), grid.width()};
            if (!Arrays.equals(latents.shape(), shape)) {
                throw new IllegalArgumentException("The initial latents have the shape "
                        + Arrays.toString(latents.shape()) + " where this request needs " + Arrays.toString(shape));
            }
            return latents.tensor();
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
