package io.tome4j.cli.bench;

import io.tome4j.cli.options.Durations;
import io.tome4j.evaluation.bench.BenchSettings;
import io.tome4j.evaluation.bench.Variant;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What to measure, and for how long. */
final class BenchTableOptions {
    private static final List<Variant> EFFICIENT_ONES = List.of(Variant.EFFICIENT, Variant.TOME_EFFICIENT);

    @Option(
            names = "--resolutions",
            split = ",",
            paramLabel = "PIXELS",
            description = "Rows and columns of the images (default: 512,768,1024; for a profile 512).")
    List<Integer> resolutions = List.of();

    @Option(
            names = "--batches",
            split = ",",
            paramLabel = "IMAGES",
            description = "Images made at a time (default: 1,2,4,8,10; for a profile 1). With guidance, which is always"
                    + " on, the UNet runs on twice as many.")
    List<Integer> batches = List.of();

    @Option(
            names = "--variants",
            split = ",",
            converter = VariantConverter.class,
            paramLabel = "NAME",
            description =
                    "vanilla (naive attention), tome (with merging), tome+efficient, efficient (default: all; for a"
                            + " profile the last two).")
    List<Variant> variants = List.of();

    @Option(
            names = {"--ratios", "--ratio"},
            split = ",",
            paramLabel = "SHARE",
            defaultValue = "0.5",
            description = "Shares of tokens to merge away, each from 0 to 1 (default: ${DEFAULT-VALUE}).")
    List<Double> ratios = List.of(0.5);

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "2",
            description = "Denoising steps that are timed together (default: ${DEFAULT-VALUE}).")
    int steps = 2;

    @Option(
            names = "--repeats",
            paramLabel = "N",
            defaultValue = "3",
            description = "How many times each cell is timed, in turns with the others of its size and batch"
                    + " (default: ${DEFAULT-VALUE}).")
    int repeats = 3;

    @Option(
            names = "--budget",
            paramLabel = "TIME|none",
            description = "Drop cells that would not end within this time, such as 90s, 10m or 1h30m (default: 10m).")
    Optional<String> budget = Optional.empty();

    @Option(
            names = "--profile",
            description = "Instead of the table: where a step's time goes, and how that compares with this machine's"
                    + " peak, which is measured too.")
    boolean profile;

    @Option(names = "--serve", hidden = true, description = "Time steps that stdin asks for: reference/side_by_side.py")
    boolean serve;

    /** A list that was not given is the table's, or the profile's. */
    BenchSettings settings(String model, boolean random, Placement placement, ToMeOptions merging) {
        return new BenchSettings(
                model,
                random,
                placement,
                given(resolutions, profile ? List.of(512) : List.of(512, 768, 1024)),
                given(batches, profile ? List.of(1) : List.of(1, 2, 4, 8, 10)),
                given(variants, profile ? EFFICIENT_ONES : Variant.WITHOUT_REUSE),
                ratios,
                merging,
                steps,
                repeats);
    }

    private static <T> List<T> given(List<T> values, List<T> otherwise) {
        return values.isEmpty() ? otherwise : values;
    }

    /** @throws OptionException if the budget is no time, or of no use */
    void checkBudget() {
        if (profile && budget.isPresent()) {
            throw new OptionException("--budget is for the table, not for --profile");
        }
        duration();
    }

    /** How long to measure; empty for as long as it takes. */
    Optional<Duration> duration() {
        String text = budget.orElse("10m");
        if (text.equals("none")) {
            return Optional.empty();
        }
        return Optional.of(Durations.parse("--budget", text, ", or none"));
    }

    /** Reads a variant's label. */
    private record VariantConverter() implements ITypeConverter<Variant> {
        @Override
        public Variant convert(String value) {
            return Variant.labelled(value)
                    .orElseThrow(() ->
                            new TypeConversionException("'" + value + "' is none of " + String.join(", ", labels())));
        }

        private static List<String> labels() {
            return List.of(Variant.values()).stream().map(Variant::label).toList();
        }
    }
}
