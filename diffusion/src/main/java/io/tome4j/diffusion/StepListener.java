package io.tome4j.diffusion;

import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import java.time.Duration;
import org.bytedeco.pytorch.Tensor;

/** Told of each denoising step, and of each block's merging if it cares; may stop the run. */
@FunctionalInterface
public interface StepListener {
    /** Lets every run go on to its end. */
    StepListener NONE = progress -> true;

    /**
     * @param done steps done
     * @param total steps in all: what the scheduler makes of the number asked for
     * @param timestep the timestep of the step just done
     * @param latents the latents after it, {@code [B, 4, H, W]}; they live only until the call returns
     * @param original the image's latents as predicted in it, without noise, {@code [B, 4, H, W]}; likewise. What
     *     {@link LatentPreview} shows best
     * @param elapsed time since the first step began
     */
    record Progress(int done, int total, double timestep, Tensor latents, Tensor original, Duration elapsed) {}

    /**
     * Called after each step, on the thread that generates.
     *
     * @return whether to go on; otherwise {@code generate} throws a {@link java.util.concurrent.CancellationException}
     */
    boolean onStep(Progress progress);

    /** As {@link io.tome4j.merging.MergeListener#onMerge}. */
    default void onMerge(MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {}
}
