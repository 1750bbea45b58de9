package io.tome4j.cli.serve;

import io.tome4j.server.generate.Limits;
import io.tome4j.tensor.OptionException;
import picocli.CommandLine.Option;

/** How much can be asked for. */
final class LimitOptions {
    private static final int LONGEST_QUEUE = 200;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "How many requests may wait, at most 200; who comes then is told to come again later (default: 8).")
    private int queue = 8;

    @Option(
            names = "--max-pixels",
            paramLabel = "N",
            defaultValue = "4194304",
            description = "Pixels of an image, at most (default: 4194304, which is 2048 x 2048).")
    private long maxPixels = 4_194_304;

    @Option(
            names = "--scale-down",
            description = "Make larger images smaller, to --max-pixels, instead of refusing them; the answer says so.")
    private boolean scaleDown;

    @Option(
            names = "--max-steps",
            paramLabel = "N",
            defaultValue = "150",
            description = "Denoising steps, at most (default: 150).")
    private int maxSteps = 150;

    @Option(
            names = "--max-images",
            paramLabel = "N",
            defaultValue = "16",
            description = "Images of one request, at most (default: 16).")
    private int maxImages = 16;

    @Option(
            names = "--max-prompt",
            paramLabel = "N",
            defaultValue = "20000",
            description = "Characters of a prompt, at most (default: 20000).")
    private int maxPrompt = 20_000;

    /** @throws OptionException if a value cannot be */
    int queue() {
        if (queue > LONGEST_QUEUE) {
            throw new OptionException("--queue is " + queue + ": it must be at most " + LONGEST_QUEUE
                    + ", for each that waits takes a thread");
        }
        return (int) atLeast(1, queue, "--queue");
    }

    /** @throws OptionException if a value cannot be */
    Limits limits() {
        return new Limits(
                atLeast(64, maxPixels, "--max-pixels"),
                scaleDown,
                (int) atLeast(1, maxSteps, "--max-steps"),
                (int) atLeast(1, maxImages, "--max-images"),
                (int) atLeast(1, maxPrompt, "--max-prompt"));
    }

    private static long atLeast(long least, long value, String option) {
        if (value < least) {
            throw new OptionException(option + " is " + value + ": it must be at least " + least);
        }
        return value;
    }
}
