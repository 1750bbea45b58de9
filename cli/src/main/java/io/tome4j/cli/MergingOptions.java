package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What to merge. */
final class MergingOptions {
    @Option(
            names = "--ratio",
            paramLabel = "SHARE",
            defaultValue = "0.5",
            description = "Share of tokens to merge away, from 0 (off) to 1 (default: ${DEFAULT-VALUE}).")
    double ratio = 0.5;

    @Option(
            names = "--max-downsample",
            paramLabel = "1|2|4|8",
            defaultValue = "1",
            description = "Merge where the feature map is at most this much smaller than the latents"
                    + " (default: ${DEFAULT-VALUE}).")
    int maxDownsample = 1;

    @Option(
            names = "--sx",
            paramLabel = "N",
            defaultValue = "2",
            description = "Width of the cells that keep one destination token each (default: ${DEFAULT-VALUE}).")
    int sx = 2;

    @Option(
            names = "--sy",
            paramLabel = "N",
            defaultValue = "2",
            description = "Height of these cells (default: ${DEFAULT-VALUE}).")
    int sy = 2;

    @Option(names = "--no-rand", description = "Take each cell's top left token instead of a random one.")
    boolean noRand;

    @Option(
            names = "--merge-attn",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Merge for self-attention (default: on).")
    boolean mergeAttn = true;

    @Option(names = "--merge-crossattn", description = "Merge for cross-attention.")
    boolean mergeCrossattn;

    @Option(names = "--merge-mlp", description = "Merge for the feed-forward layers.")
    boolean mergeMlp;

    @Option(names = "--tomesd", description = "Behave exactly as the Python package tomesd, random draws included.")
    boolean tomesd;

    /**
     * @return none for ratio 0, else one
     * @throws IllegalArgumentException if a value is out of its range
     */
    List<ToMeOptions> options() {
        ToMeOptions options = new ToMeOptions(
                ratio,
                maxDownsample,
                sx,
                sy,
                !noRand,
                mergeAttn,
                mergeCrossattn,
                mergeMlp,
                tomesd ? ToMeOptions.Mode.TOMESD : ToMeOptions.Mode.SEEDED);
        return ratio == 0 ? List.of() : List.of(options);
    }

    /**
     * Patches a pipeline with what {@link #options()} gave.
     *
     * @return what that does to the tokens at the size asked for; empty if merging is off
     * @throws ParameterException if nothing would be merged
     */
    static Optional<PatchReport> apply(
            List<ToMeOptions> options, StableDiffusionPipeline pipeline, Request request, CommandLine commandLine) {
        if (options.isEmpty()) {
            return Optional.empty();
        }
        try {
            ToMe.applyPatch(pipeline, options.get(0));
            return Optional.of(ToMe.report(pipeline, options.get(0), request.latentGrid(pipeline.nominalGrid())));
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(commandLine, e);
        }
    }
}
