package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How to draw, whatever is drawn. */
public class SamplingOptions {
    @Option(
            names = "--negative",
            paramLabel = "PROMPT",
            defaultValue = "",
            description = "What guidance leads away from.")
    String negative = "";

    @Option(
            names = "--steps",
            paramLabel = "N",
            description =
                    "Denoising steps (default: " + ChosenModel.USUAL_STEPS + ", or what suits the embedded model).")
    Optional<Integer> steps = Optional.empty();

    @Option(
            names = "--guidance",
            paramLabel = "SCALE",
            description = "How strongly to follow the prompt; 1 or less is no guidance (default: "
                    + ChosenModel.USUAL_GUIDANCE + ", or what suits the embedded model).")
    Optional<Double> guidance = Optional.empty();

    @Option(
            names = "--scheduler",
            paramLabel = "NAME",
            defaultValue = "",
            description = "pndm, ddim, euler, euler_a, dpmpp_2m, dpmpp_2m_karras, lms, heun, unipc or lcm"
                    + " (default: the checkpoint's own).")
    String scheduler = "";

    @Option(names = "--width", paramLabel = "PIXELS", description = "A multiple of 8 (default: the model's own).")
    Optional<Integer> width = Optional.empty();

    @Option(names = "--height", paramLabel = "PIXELS", description = "A multiple of 8 (default: the model's own).")
    Optional<Integer> height = Optional.empty();

    /**
     * @param model says what suits it, where no option says otherwise
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Request request(String prompt, ChosenModel model) {
        if (!scheduler.isEmpty() && !Schedulers.names().contains(scheduler)) {
            throw new IllegalArgumentException(
                    "--scheduler is " + scheduler + ": it must be one of " + String.join(", ", Schedulers.names()));
        }
        return Request.of(prompt)
                .negativePrompt(negative)
                .guidanceScale(guidance.orElseGet(model::guidanceScale))
                .steps(steps.orElseGet(model::steps))
                .scheduler(scheduler)
                .size(width.orElseGet(model::width), height.orElseGet(model::height));
    }
}
