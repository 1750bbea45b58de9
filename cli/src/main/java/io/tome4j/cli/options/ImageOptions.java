package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import picocli.CommandLine.Option;

/** What to draw. */
public final class ImageOptions extends SeededOptions {
    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Images to make, in one batch (default: ${DEFAULT-VALUE}).")
    int count = 1;

    @Override
    public Request request(String prompt, ChosenModel model) {
        return super.request(prompt, model).imagesPerPrompt(count);
    }
}
