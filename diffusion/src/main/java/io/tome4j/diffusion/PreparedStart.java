package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** A {@link Start} that has seen the request: where the run begins, with which latents, and what is done to its images. */
interface PreparedStart {
    /**
     * What a start may ask of a run.
     *
     * @param images rows of the latents
     * @param grid rows and columns of the latents
     * @param denoiser whose latents they are
     * @param trajectory the run, at its beginning
     * @param encoder images to latents
     * @param tiled whether in tiles
     * @param noise the generator of the seed; what the steps draw comes after what is drawn here
     */
    record Context(
            int images,
            TokenGrid grid,
            Denoiser denoiser,
            Trajectory trajectory,
            ImageEncoder encoder,
            boolean tiled,
            Generator noise) {
        /** Standard normal latents, {@code [images, 4, grid]} fp32. */
        Tensor drawn() {
            return Tensors.randn(noise, images, denoiser.latentChannels(), grid.height(), grid.width());
        }

        /** Standard normal latents with the trajectory's initial scale. */
        Tensor scaled(Tensor standard) {
            return standard.mul(new Scalar(trajectory.initNoiseSigma()));
        }
    }

    /** Starts the scheduler's run where this begins. */
    Trajectory trajectory(Scheduler scheduler);

    /** The first latents, in the open scope. */
    Beginning begin(Context context);

    /** What is repainted, at the run's size: grey, at least half white where it is; empty for nothing in particular. */
    default Optional<Pixels> repainted() {
        return Optional.empty();
    }

    /** An image as the decoder gave it, and as it is to be seen. */
    default BufferedImage finish(BufferedImage decoded) {
        return decoded;
    }

    /** @throws OptionException if a denoiser takes in more than noisy latents */
    static void requirePlain(Denoiser denoiser) {
        if (denoiser.inputChannels() != denoiser.latentChannels()) {
            throw new OptionException("This model is one for inpainting (its UNet has " + denoiser.inputChannels()
                    + " input channels): it needs {init_image} and {mask}");
        }
    }

    /** @see Start#noise() */
    record Noise(Request request) implements PreparedStart {
        @Override
        public Trajectory trajectory(Scheduler scheduler) {
            return scheduler.start(request.steps());
        }

        @Override
        public Beginning begin(Context context) {
            requirePlain(context.denoiser());
            return Beginning.of(context.scaled(context.drawn()));
        }
    }

    /** @see Start#from(Latents) */
    record Given(Request request, Latents latents) implements PreparedStart {
        @Override
        public Trajectory trajectory(Scheduler scheduler) {
            return scheduler.start(request.steps());
        }

        @Override
        public Beginning begin(Context context) {
            requirePlain(context.denoiser());
            TokenGrid grid = context.grid();
            long[] shape = {context.images(), context.denoiser().latentChannels(), grid.height(), grid.width()};
            if (!Arrays.equals(latents.shape(), shape)) {
                throw new IllegalArgumentException("The initial latents have the shape "
                        + Arrays.toString(latents.shape()) + " where this request needs " + Arrays.toString(shape));
            }
            return Beginning.of(context.scaled(latents.tensor()));
        }
    }
}
