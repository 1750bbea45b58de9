package io.tome4j.diffusion;

import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import java.time.Duration;
import org.bytedeco.pytorch.Tensor;

/** Counts the steps of a run's two passes as those of one. */
final class PassListener {
    private final StepListener listener;
    private final int firstSteps;
    private final int secondSteps;
    private final long start = System.nanoTime();
    private int firstCalls;

    /**
     * @param firstSteps steps of the first pass
     * @param secondSteps of the second; 0 if there is none
     */
    PassListener(StepListener listener, int firstSteps, int secondSteps) {
        this.listener = listener;
        this.firstSteps = firstSteps;
        this.secondSteps = secondSteps;
    }

    /** For the first pass: how often the model will be called in the second is told by how often it is called here. */
    StepListener first() {
        return secondSteps == 0
                ? listener
                : new Counted(progress -> {
                    firstCalls = progress.total();
                    int more = Math.toIntExact(Math.round((double) secondSteps * firstCalls / firstSteps));
                    return listener.onStep(counted(progress, 0, firstCalls + more));
                });
    }

    StepListener second() {
        return new Counted(progress -> listener.onStep(counted(progress, firstCalls, firstCalls + progress.total())));
    }

    private StepListener.Progress counted(StepListener.Progress progress, int before, int total) {
        return new StepListener.Progress(
                before + progress.done(),
                total,
                progress.timestep(),
                progress.latents(),
                progress.original(),
                Duration.ofNanos(System.nanoTime() - start));
    }

    /** Tells of steps in another way, and of merging as before. */
    private final class Counted implements StepListener {
        private final StepListener steps;

        Counted(StepListener steps) {
            this.steps = steps;
        }

        @Override
        public boolean onStep(Progress progress) {
            return steps.onStep(progress);
        }

        @Override
        public void onMerge(
                MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
            listener.onMerge(block, hidden, grid, merge, context);
        }
    }
}
