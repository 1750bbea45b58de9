package io.tome4j.server.queue;

import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.merging.PatchReport;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;

/**
 * An image of a job.
 *
 * @param image its pixels and parameters
 * @param request what it was made from, as it was asked for
 * @param result what came of it; empty if the run was stopped and these are the latents that it had come to
 * @param mergeMap the tokens that one block saw as one, drawn over the image; empty if nobody asked, or nothing merged
 */
public record MadeImage(Image image, Request request, Optional<Result> result, Optional<BufferedImage> mergeMap) {
    /** What merging did to the tokens; empty for a run that was stopped. */
    public Optional<PatchReport> merging() {
        return result.map(Result::merging);
    }

    /** Seconds of each step; none for a run that was stopped. */
    public List<Double> stepSeconds() {
        return result.stream()
                .flatMap(each -> each.timings().steps().stream())
                .map(step -> step.toNanos() / 1e9)
                .toList();
    }

    /** What the text encoder did not see of the prompt; empty if it saw all. */
    public String droppedWords() {
        return result.map(each -> String.join(" ", each.droppedWords()).strip()).orElse("");
    }
}
