package io.tome4j.diffusion;

import io.tome4j.tensor.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What to say where a request without guidance has options that only guidance heeds. */
final class GuidanceAdvice {
    private GuidanceAdvice() {}

    /**
     * The options that have no effect, and what would give them one.
     *
     * @param request with its family's defaults
     * @return a sentence; none where there is guidance, or nothing that wants it
     */
    static Optional<String> of(Request request) {
        if (request.guidanceScale() > 1) {
            return Optional.empty();
        }
        List<String> idle = new ArrayList<>();
        if (!request.negativePrompt().isBlank()) {
            idle.add(Request.NEGATIVE_PROMPT.name());
        }
        if (request.guidanceFrom() > 0 || request.guidanceTo() < 1) {
            idle.add(Request.GUIDANCE_FROM.name() + " and " + Request.GUIDANCE_TO.name());
        }
        Option<Double> scale = Request.GUIDANCE_SCALE;
        return idle.isEmpty()
                ? Optional.empty()
                : Optional.of("Without guidance (" + scale.name() + " " + scale.format(request.guidanceScale()) + ") "
                        + String.join(", ", idle) + " would change nothing; better: " + scale.name() + " above 1");
    }
}
