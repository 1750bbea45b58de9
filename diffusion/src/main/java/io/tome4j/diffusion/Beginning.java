package io.tome4j.diffusion;

import org.bytedeco.pytorch.Tensor;

/**
 * What a run begins with.
 *
 * @param latents as the scheduler wants them before its first step, {@code [B, C, H, W]} fp32 on the CPU
 * @param repainting what is done around each step to keep a part of an image
 */
record Beginning(Tensor latents, Repainting repainting) {
    /** Latents of which all is drawn. */
    static Beginning of(Tensor latents) {
        return new Beginning(latents, Repainting.NONE);
    }
}
