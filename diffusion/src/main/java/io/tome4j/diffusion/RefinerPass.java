package io.tome4j.diffusion;

import io.tome4j.diffusion.DenoisingLoop.Denoised;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * The second part of a run: a refiner goes on where the base model stopped (arXiv 2307.01952, section 2.5), with the timesteps
 * that its own scheduler has after that.
 *
 * @param refiner its stages
 * @param request as it is carried out
 * @param merging as it was asked for
 */
record RefinerPass(Stages refiner, Request request, ToMeOptions merging) {
    /** The refiner's timesteps that remain; to be closed. */
    Trajectory trajectory() {
        Scheduler scheduler = refiner.schedulers().apply(request.scheduler());
        Trajectory whole = scheduler.start(request.steps());
        try {
            return whole.startingAfter(request.refinerStart());
        } catch (RuntimeException e) {
            whole.close();
            throw e;
        }
    }

    /** What merging does to the refiner's tokens. */
    PatchReport report(TokenGrid grid) {
        return ToMe.report(refiner.denoiser(), merging, grid);
    }

    /**
     * @param latents of the base model, {@code [B, C, H, W]}
     * @param trajectory from {@link #trajectory}
     * @param noise the base model's generator, which runs on
     * @param before the base model's steps
     */
    Denoised run(
            Denoised before, Guidance guidance, Trajectory trajectory, Generator noise, StepListener listener) {
        Tensor latents = before.latents();
        try (MergeRun run =
                MergeRun.of(refiner.denoiser(), merging, request.seed(), guidance.copies(), listener::onMerge)) {
            PromptEncoder.Encoded text = refiner.prompts().continuing().encode(request, guidance);
            Denoised after = new DenoisingLoop(refiner.denoiser(), guidance, ReuseSchedule.of(request))
                    .run(latents, text.conditioning(), trajectory, noise, run, listener);
            List<Duration> steps = new ArrayList<>(before.steps());
            steps.addAll(after.steps());
            return new Denoised(after.latents(), List.copyOf(steps));
        }
    }

    /** Counts the steps of one of both parts as those of a whole. */
    record Part(StepListener listener, int before, int total, long start) implements StepListener {
        @Override
        public boolean onStep(Progress progress) {
            return listener.onStep(new Progress(
                    before + progress.done(),
                    total,
                    progress.timestep(),
                    progress.latents(),
                    Duration.ofNanos(System.nanoTime() - start)));
        }

        @Override
        public void onMerge(
                MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
            listener.onMerge(block, hidden, grid, merge, context);
        }
    }
}
