package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What the second pass of a run begins with: the first pass's images, enlarged, and as much noise as the strength says. Its
 * steps are exactly so many as were asked for, of a schedule that is longer, as in A1111's web UI.
 *
 * @param request of the second pass
 * @param latents of the first, {@code [B, 4, h, w]}
 * @param enlarged its images, of the second pass's size; empty where latents are enlarged
 */
record HiresStart(Request request, Tensor latents, List<Pixels> enlarged) implements PreparedStart {
    /** A greater strength counts as this one. */
    private static final double GREATEST_STRENGTH = 0.999;

    @Override
    public Trajectory trajectory(Scheduler scheduler) {
        int steps = request.hiresStepsToRun();
        int all = Math.max(steps, (int) (steps / Math.min(request.hiresStrength(), GREATEST_STRENGTH)));
        Trajectory whole = scheduler.start(all);
        return whole.startingAt((all - steps) * whole.order());
    }

    @Override
    public Beginning begin(Context context) {
        PreparedStart.requirePlain(context.denoiser());
        Tensor larger = enlarged.isEmpty()
                ? Upscaler.named(request.hiresUpscaler()).orElseThrow().latents(latents, context.grid())
                : encoded(context);
        return Beginning.of(context.trajectory().addNoise(larger, context.drawn(), 0));
    }

    private Tensor encoded(Context context) {
        Tensor[] images = enlarged.stream().map(ImageEncoder::tensor).toArray(Tensor[]::new);
        Tensor batch = images.length == 1 ? images[0] : Tensors.cat(0, images);
        return context.encoder().encode(batch, context.tiled(), context.noise());
    }
}
