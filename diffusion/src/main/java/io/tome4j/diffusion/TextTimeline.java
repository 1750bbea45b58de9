package io.tome4j.diffusion;

import java.util.List;
import java.util.function.IntFunction;

/**
 * What a denoiser is conditioned on in each step of a run: mostly one text, or several one after the other, as prompts that
 * change with the step have it. A value; its tensors belong to the scope that was open when it was made.
 */
public final class TextTimeline {
    private final List<Integer> lastSteps;
    private final IntFunction<TextConditioning> spans;
    private final Composition composition;

    private TextTimeline(List<Integer> lastSteps, IntFunction<TextConditioning> spans, Composition composition) {
        this.lastSteps = List.copyOf(lastSteps);
        this.spans = spans;
        this.composition = composition;
    }

    /** The same in all steps. */
    public static TextTimeline of(TextConditioning text) {
        return new TextTimeline(List.of(Integer.MAX_VALUE), span -> text, Composition.PLAIN);
    }

    /**
     * Several one after the other.
     *
     * @param lastSteps the last step of each span, from 1, at least one
     * @param spans makes the conditioning of a span, in the scope that is open when it is asked; by the span's number
     * @param composition how the predictions of a prompt's parts become one
     */
    static TextTimeline of(List<Integer> lastSteps, IntFunction<TextConditioning> spans, Composition composition) {
        return new TextTimeline(lastSteps, spans, composition);
    }

    /** The same for a pass that goes on after some steps of another one. */
    TextTimeline after(int steps) {
        return new TextTimeline(lastSteps.stream().map(last -> last - steps).toList(), spans, composition);
    }

    /** The number of the span that a step belongs to; those beyond the last span's last step belong to it. */
    int spanAt(int step) {
        int span = 0;
        while (span < lastSteps.size() - 1 && lastSteps.get(span) < step) {
            span++;
        }
        return span;
    }

    /** The conditioning of a span; where it is made anew, it belongs to the open scope. */
    TextConditioning conditioning(int span) {
        return spans.apply(span);
    }

    Composition composition() {
        return composition;
    }
}
