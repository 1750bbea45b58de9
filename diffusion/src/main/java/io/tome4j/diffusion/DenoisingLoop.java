package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.MergeRun;
import io.tome4j.models.unet.FeatureReuse;
import io.tome4j.tensor.TensorScope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * From noise to latents: at each of the scheduler's timesteps the denoiser predicts the noise, guidance goes beyond it, and
 * the scheduler takes the latents a step on.
 *
 * @param denoiser predicts
 * @param guidance combines predictions with and without the prompt
 * @param reuse in which steps the denoiser reuses what it computed in an earlier one
 */
public record DenoisingLoop(Denoiser denoiser, Guidance guidance, ReuseSchedule reuse) {
    /**
     * What came of a loop.
     *
     * @param latents {@code [B, C, H, W]} fp32, in the scope that was open
     * @param steps what each step took: the denoiser and the scheduler
     */
    public record Denoised(Tensor latents, List<Duration> steps) {}

    /** As {@link #run(Tensor, TextTimeline, Trajectory, int, Generator, MergeRun, StepListener)}, to the trajectory's end. */
    public Denoised run(
            Tensor initial,
            TextTimeline text,
            Trajectory trajectory,
            Generator noise,
            MergeRun merging,
            StepListener listener) {
        return run(initial, text, trajectory, trajectory.timesteps().length, noise, merging, listener);
    }

    /**
     * Runs the first steps of a trajectory.
     *
     * @param initial latents with the trajectory's initial scale, {@code [B, C, H, W]} fp32 on the CPU
     * @param text of {@code B} rows; with guidance {@code 2 * B}, those without the prompt first; of prompts with more parts so
     *     many rows more. Its steps are the different timesteps, counted from the first that runs
     * @param trajectory the scheduler's run, at its beginning
     * @param steps how many of its timesteps
     * @param noise what stochastic schedulers draw from
     * @param merging what the denoiser's blocks merge; its batch holds as many copies as guidance wants
     * @param listener told of each step; may stop the run
     * @throws CancellationException if the listener stopped it
     * @throws io.tome4j.tensor.OptionException if the denoiser has no such branch to reuse
     */
    public Denoised run(
            Tensor initial,
            TextTimeline text,
            Trajectory trajectory,
            int steps,
            Generator noise,
            MergeRun merging,
            StepListener listener) {
        return run(Beginning.of(initial), text, trajectory, steps, noise, merging, listener);
    }

    /** As {@link #run(Tensor, TextTimeline, Trajectory, int, Generator, MergeRun, StepListener)}, of a start. */
    Denoised run(
            Beginning beginning,
            TextTimeline text,
            Trajectory trajectory,
            int steps,
            Generator noise,
            MergeRun merging,
            StepListener listener) {
        Repainting repainting = beginning.repainting();
        int[] places = firstPlaces(trajectory.timesteps());
        BitSet fullPasses = reuse.fullPasses(places.length);
        double[] timesteps = Arrays.copyOf(trajectory.timesteps(), steps);
        List<Duration> durations = new ArrayList<>();
        long begin = System.nanoTime();
        try (var scope = TensorScope.open();
                FeatureReuse features = reuse.isOn() ? denoiser.reuse(reuse.branch()) : FeatureReuse.NONE;
                ConditionedSpans texts = new ConditionedSpans(denoiser, text, timesteps)) {
            Composition parts = text.composition();
            // Each step's latents outlive its scope and are freed by the next: a run of any length holds two.
            Tensor latents = scope.retain(beginning.latents());
            try {
                for (int i = 0; i < timesteps.length; i++) {
                    Denoiser.Conditioned conditioned = texts.at(i);
                    long start = System.nanoTime();
                    Tensor previous = latents;
                    try (var shown = TensorScope.open()) {
                        Tensor original;
                        try (var step = TensorScope.open()) {
                            Guidance guided = guidance.at(places[i], places.length);
                            Tensor input = guided.inputs(trajectory.scaleModelInput(latents, i));
                            Tensor ofParts = conditioned.predict(
                                    repainting.input(parts.inputs(input, guided)),
                                    timesteps[i],
                                    merging.step(i, timesteps.length, parts.copies(guided)),
                                    features.pass(!fullPasses.get(places[i])));
                            Tensor predicted = guided.combine(parts.joined(ofParts, guided));
                            original = step.release(trajectory.original(predicted, i, latents));
                            latents = step.retain(
                                    repainting.after(trajectory.step(predicted, i, latents, noise), trajectory, i + 1));
                        }
                        previous.close();
                        durations.add(Duration.ofNanos(System.nanoTime() - start));
                        if (!listener.onStep(new StepListener.Progress(
                                i + 1,
                                timesteps.length,
                                timesteps[i],
                                latents,
                                original,
                                Duration.ofNanos(System.nanoTime() - begin)))) {
                            throw new CancellationException(
                                    "Stopped after step " + (i + 1) + " of " + timesteps.length);
                        }
                    }
                }
                return new Denoised(scope.release(new Tensor(latents)), List.copyOf(durations));
            } finally {
                latents.close();
            }
        }
    }

    /**
     * For each of the scheduler's timesteps the place where it first stands among them. Some schedulers call the model twice
     * at a timestep; both calls then are guided, and reuse features, alike.
     */
    private static int[] firstPlaces(double[] timesteps) {
        int[] places = new int[timesteps.length];
        for (int i = 0; i < places.length; i++) {
            while (timesteps[places[i]] != timesteps[i]) {
                places[i]++;
            }
        }
        return places;
    }
}
