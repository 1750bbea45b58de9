package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.ScheduledText;
import java.util.List;

/**
 * Prompts to what the denoiser is conditioned on. A {@link ModelFamily} makes one of its text encoders
 * ({@link TextEncoder}), which it owns.
 */
interface PromptEncoder extends AutoCloseable {
    /**
     * @param conditioning of {@code images} rows, with guidance of {@code 2 * images}: first those of the negative prompt; in
     *     the scope that was open
     * @param droppedWords for each prompt the words that did not fit
     */
    record Encoded(TextTimeline conditioning, List<String> droppedWords) {
        Encoded(TextConditioning conditioning, List<String> droppedWords) {
            this(TextTimeline.of(conditioning), droppedWords);
        }
    }

    /**
     * Encodes a request's prompts; each text once, however many images it gives.
     *
     * @param request with its size set
     * @param guidance whether the negative prompt is wanted, too
     */
    default Encoded encode(Request request, Guidance guidance) {
        return encode(request, guidance, new ScheduledText.Steps(request.steps(), 0));
    }

    /**
     * As {@link #encode(Request, Guidance)}, for a pass whose steps are not the request's.
     *
     * @param steps of the pass that the texts are for; texts may change in its course
     */
    Encoded encode(Request request, Guidance guidance, ScheduledText.Steps steps);

    /** The same for runs that go on from another run's latents, as a refiner's do; shares the text encoders. */
    default PromptEncoder continuing() {
        return this;
    }

    /** Bytes of the weights. */
    long weightBytes();

    @Override
    void close();
}
