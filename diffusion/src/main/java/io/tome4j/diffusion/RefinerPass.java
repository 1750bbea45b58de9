package io.tome4j.diffusion;

import io.tome4j.diffusion.DenoisingLoop.Denoised;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ProtectedTokens;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.TomeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * The second part of a run: a refiner goes on where the base model stopped (arXiv 2307.01952, section 2.5), with the timesteps
 * that its own scheduler has after that.
 *
 * @param refiner its stages
 * @param request as it is carried out
 * @param merging as it was asked for; empty for what the refiner is patched with
 * @param kept tokens that are not merged
 */
record RefinerPass(Stages refiner, Request request, Optional<ToMeOptions> merging, ProtectedTokens kept) {
    /**
     * The pass of a pipeline with a refiner, which is patched as the base model is.
     *
     * @param request as it is carried out, but for how it asks to merge
     * @param patched what the base model is patched with
     * @param kept tokens that are not merged
     */
    static Optional<RefinerPass> of(
            Stages stages, Request request, Optional<ToMeOptions> merging, ToMeOptions patched, ProtectedTokens kept) {
        return stages.refiner().map(refiner -> {
            if (!ToMe.patchedWith(refiner.denoiser()).equals(patched)) {
                if (patched.merges()) {
                    ToMe.applyPatch(refiner.denoiser(), patched);
                } else {
                    ToMe.removePatch(refiner.denoiser());
                }
            }
            return new RefinerPass(refiner, request, merging, kept);
        });
    }

    /** What merging does to the refiner's tokens. */
    PatchReport report(TokenGrid grid) {
        ToMeOptions options = merging.orElseGet(() -> ToMe.patchedWith(refiner.denoiser()));
        return ToMe.report(refiner.denoiser(), options, grid, kept);
    }

    /** The refiner's timesteps that remain; to be closed. */
    private Trajectory trajectory() {
        Trajectory whole = refiner.scheduler(request).start(request.steps());
        try {
            return whole.startingAfter(request.refinerStart());
        } catch (RuntimeException e) {
            whole.close();
            throw e;
        }
    }

    /**
     * How a run goes through the base model and, maybe, a refiner.
     *
     * @param base the base model's whole trajectory
     * @throws TomeException if the steps are too few for one of both to have any
     */
    static Course course(Optional<RefinerPass> pass, Trajectory base, StepListener listener) {
        return pass.map(found -> found.course(base, listener))
                .orElseGet(() -> new Course(Optional.empty(), base.timesteps().length, 0, listener));
    }

    private Course course(Trajectory base, StepListener listener) {
        int baseCalls = base.callsBefore(request.refinerStart());
        if (baseCalls < 1) {
            throw new TomeException("With " + request.steps() + " steps the base model has none before "
                    + request.refinerStart() + ", where the refiner takes over: take more steps.");
        }
        Trajectory refining = trajectory();
        return new Course(Optional.of(new Refining(this, refining)), baseCalls, refining.timesteps().length, listener);
    }

    /** The refiner and its timesteps. */
    private record Refining(RefinerPass pass, Trajectory trajectory) {}

    /** The steps of a run over both models. Owns the refiner's trajectory. */
    static final class Course implements AutoCloseable {
        private final Optional<Refining> refining;
        private final int baseCalls;
        private final int total;
        private final StepListener listener;
        private final long start = System.nanoTime();

        private Course(Optional<Refining> refining, int baseCalls, int refinerCalls, StepListener listener) {
            this.refining = refining;
            this.baseCalls = baseCalls;
            this.total = baseCalls + refinerCalls;
            this.listener = listener;
        }

        /** How many of its timesteps the base model takes. */
        int baseCalls() {
            return baseCalls;
        }

        /** Told of the base model's steps. */
        StepListener baseListener() {
            return refining.isEmpty() ? listener : new Part(listener, 0, total, start);
        }

        /**
         * What the refiner makes of what the base model left; without a refiner the same.
         *
         * @param noise the base model's generator, which runs on
         */
        Denoised refined(Denoised base, Guidance guidance, Generator noise) {
            return refining.map(part -> part.pass()
                            .run(
                                    base,
                                    guidance,
                                    part.trajectory(),
                                    noise,
                                    new Finite(new Part(listener, baseCalls, total, start))))
                    .orElse(base);
        }

        @Override
        public void close() {
            refining.ifPresent(part -> part.trajectory().close());
        }
    }

    private Denoised run(
            Denoised base, Guidance guidance, Trajectory trajectory, Generator noise, StepListener listener) {
        try (MergeRun run = MergeRun.of(
                        refiner.denoiser(), merging, request.seed(), guidance.copies(), listener::onMerge)
                .protecting(kept)) {
            PromptEncoder.Encoded text = refiner.prompts().continuing().encode(request, guidance);
            Denoised refined = new DenoisingLoop(refiner.denoiser(), guidance, ReuseSchedule.of(request))
                    .run(
                            base.latents(),
                            text.conditioning().after(base.steps().size()),
                            trajectory,
                            noise,
                            run,
                            listener);
            List<Duration> steps = new ArrayList<>(base.steps());
            steps.addAll(refined.steps());
            return new Denoised(refined.latents(), List.copyOf(steps));
        }
    }

    /** Counts the steps of one of both parts as those of a whole. */
    private record Part(StepListener listener, int before, int total, long start) implements StepListener {
        @Override
        public boolean onStep(Progress progress) {
            return listener.onStep(new Progress(
                    before + progress.done(),
                    total,
                    progress.timestep(),
                    progress.latents(),
                    progress.original(),
                    Duration.ofNanos(System.nanoTime() - start)));
        }

        @Override
        public void onMerge(
                MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
            listener.onMerge(block, hidden, grid, merge, context);
        }
    }
}
