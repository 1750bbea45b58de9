package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import picocli.CommandLine.Option;

/** What to draw. */
final class ImageOptions extends SeededOptions {
    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Images to make, in one batch (default: ${DEFAULT-VALUE}).")
    int count = 1;

    @Override
    Request request(String prompt, ChosenModel model) {
        return super.request(prompt, model).imagesPerPrompt(count);
    }
}
