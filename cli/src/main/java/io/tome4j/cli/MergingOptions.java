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
final class MergingOptions extends MergingMethodOptions {
    /** Whether to merge. */
    enum Merging {
        ON,
        AUTO,
        OFF
    }

    @Option(
            names = "--merging",
            paramLabel = "on|auto|off",
            defaultValue = "on",
            description = "Merge tokens (default), merge where it is predicted to pay, or do not.")
    Merging merging = Merging.ON;

    @Option(
            names = "--ratio",
            paramLabel = "SHARE",
            defaultValue = "0.5",
            description = "Share of tokens to merge away, from 0 (off) to 1 (default: ${DEFAULT-VALUE}).")
    double ratio = 0.5;

    /**
     * @return none if merging is off or the ratio is 0, else one
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    List<ToMeOptions> options() {
        ToMeOptions options = options(ratio).auto(merging == Merging.AUTO);
        return merging == Merging.OFF || ratio == 0 ? List.of() : List.of(options);
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
