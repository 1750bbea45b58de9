package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A denoiser conditioned on the text of each step of a run: anew where the text changes, and only there. What it was
 * conditioned on before is freed then, so that a text of many variants holds no more than one of few. Its tensors lie in a
 * scope of their own: it is asked where no scope is open that was opened since it was asked last.
 */
final class ConditionedSpans implements AutoCloseable {
    private final Denoiser denoiser;
    private final TextTimeline text;
    private final double[] timesteps;
    private final int[] spans; // of each timestep
    private int end; // of the timesteps conditioned for
    private Denoiser.@Nullable Conditioned conditioned;
    private @Nullable TensorScope scope;

    /** @param timesteps all that there will be; the different ones are the steps that the text counts */
    ConditionedSpans(Denoiser denoiser, TextTimeline text, double[] timesteps) {
        this.denoiser = denoiser;
        this.text = text;
        this.timesteps = timesteps.clone();
        this.spans = new int[timesteps.length];
        Set<Double> seen = new HashSet<>();
        for (int i = 0; i < spans.length; i++) {
            seen.add(timesteps[i]);
            spans[i] = text.spanAt(seen.size());
        }
    }

    /** The denoiser at a timestep, by its place, each in turn. */
    Denoiser.Conditioned at(int place) {
        Denoiser.Conditioned current = conditioned;
        if (current == null || place >= end) {
            close();
            end = place + 1;
            while (end < spans.length && spans[end] == spans[place]) {
                end++;
            }
            scope = TensorScope.open();
            current = denoiser.condition(text.conditioning(spans[place]), Arrays.copyOfRange(timesteps, place, end));
            conditioned = current;
        }
        return current;
    }

    @Override
    public void close() {
        conditioned = null;
        if (scope != null) {
            scope.close();
            scope = null;
        }
    }
}
