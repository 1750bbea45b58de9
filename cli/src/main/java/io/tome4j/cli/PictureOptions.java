package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What to draw. */
final class PictureOptions extends SamplingOptions {
    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same seed gives the same image (default: drawn at random).")
    Optional<Long> seed = Optional.empty();

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Images to make, in one batch (default: ${DEFAULT-VALUE}).")
    int count = 1;

    @Override
    Request request(String prompt, ChosenModel model) {
        Request request = super.request(prompt, model).imagesPerPrompt(count);
        return seed.isPresent() ? request.seed(seed.get()) : request;
    }
}
