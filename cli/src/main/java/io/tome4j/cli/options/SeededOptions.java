package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How to draw, from one seed. */
public class SeededOptions extends SamplingOptions {
    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same seed gives the same image (default: drawn at random).")
    Optional<Long> seed = Optional.empty();

    @Override
    public Request request(String prompt, ChosenModel model) {
        Request request = super.request(prompt, model);
        return seed.isPresent() ? request.seed(seed.get()) : request;
    }
}
