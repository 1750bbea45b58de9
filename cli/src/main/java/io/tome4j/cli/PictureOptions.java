package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What to draw. */
final class PictureOptions {
    @Option(
            names = "--negative",
            paramLabel = "PROMPT",
            defaultValue = "",
            description = "What guidance leads away from.")
    String negative = "";

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "20",
            description = "Denoising steps (default: ${DEFAULT-VALUE}).")
    int steps = 20;

    @Option(
            names = "--guidance",
            paramLabel = "SCALE",
            defaultValue = "7.5",
            description = "How strongly to follow the prompt; 1 or less is no guidance (default: ${DEFAULT-VALUE}).")
    double guidance = 7.5;

    @Option(
            names = "--scheduler",
            paramLabel = "NAME",
            defaultValue = "",
            description = "pndm, ddim, euler, euler_a, dpmpp_2m, dpmpp_2m_karras, lms, heun, unipc or lcm"
                    + " (default: the checkpoint's own).")
    String scheduler = "";

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same seed gives the same image (default: drawn at random).")
    Optional<Long> seed = Optional.empty();

    @Option(
            names = "--width",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = "A multiple of 8 (default: the model's own).")
    int width;

    @Option(
            names = "--height",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = "A multiple of 8 (default: the model's own).")
    int height;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Images to make, in one batch (default: ${DEFAULT-VALUE}).")
    int count = 1;

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    Request request(String prompt) {
        Request request = Request.of(prompt)
                .negativePrompt(negative)
                .guidanceScale(guidance)
                .steps(steps)
                .scheduler(scheduler)
                .size(width, height)
                .imagesPerPrompt(count);
        return seed.isPresent() ? request.seed(seed.get()) : request;
    }
}
