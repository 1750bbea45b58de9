package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** What inpainting does around each step, so that a part of the image stays as it is. */
interface Repainting {
    /** Nothing: all of the image is drawn. */
    Repainting NONE = new Repainting() {};

    /**
     * What the model sees.
     *
     * @param scaled latents as the scheduler scaled them, {@code [copies * B, 4, H, W]} fp32
     * @return as many rows, with as many channels as the model takes, in the open scope
     */
    default Tensor input(Tensor scaled) {
        return scaled;
    }

    /**
     * The latents after a step.
     *
     * @param latents {@code [B, 4, H, W]} fp32
     * @param trajectory the run
     * @param next the model call that comes next
     * @return as many, in the open scope
     */
    default Tensor after(Tensor latents, Trajectory trajectory, int next) {
        return latents;
    }

    /**
     * For a model that knows nothing of masks: after each step, what is not repainted is the original with as much noise as
     * the next step takes away; after the last, the original itself.
     *
     * @param original latents of the image, {@code [B, 4, H, W]}
     * @param noise standard normal, the run's own, {@code [B, 4, H, W]}
     * @param mask 1 where it is repainted, else 0, {@code [1, 1, H, W]}
     */
    record Blending(Tensor original, Tensor noise, Tensor mask) implements Repainting {
        @Override
        public Tensor after(Tensor latents, Trajectory trajectory, int next) {
            try (var scope = TensorScope.open()) {
                Tensor kept =
                        next < trajectory.timesteps().length ? trajectory.addNoise(original, noise, next) : original;
                Tensor keeps = mask.neg().add_(new Scalar(1.0));
                return scope.release(keeps.mul(kept).add_(mask.mul(latents)));
            }
        }
    }

    /**
     * For a model made for inpainting: it is shown the mask, and the image without what is repainted.
     *
     * @param mask {@code [1, 1, H, W]}
     * @param masked latents of the image whose repainted part is grey, {@code [1, 4, H, W]}
     */
    record MaskChannels(Tensor mask, Tensor masked) implements Repainting {
        @Override
        public Tensor input(Tensor scaled) {
            try (var scope = TensorScope.open()) {
                long rows = scaled.size(0);
                return scope.release(Tensors.cat(1, scaled, mask.repeat(rows, 1, 1, 1), masked.repeat(rows, 1, 1, 1)));
            }
        }
    }
}
