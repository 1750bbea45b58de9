package io.tome4j.cli.tune;

import io.tome4j.cli.options.Durations;
import io.tome4j.cli.options.ListOption;
import io.tome4j.cli.options.MergingTable;
import io.tome4j.cli.options.OptionGroup;
import io.tome4j.evaluation.tune.TuneGoal;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;

/** What to reach, and what to try for it. */
final class TuneOptions {
    private final MergingTable table =
            MergingTable.without(ToMeOptions.RATIO, ToMeOptions.RATIO_END, ToMeOptions.METHOD, ToMeOptions.AUTO);

    private final ListOption<ToMeOptions.Method> methods =
            new ListOption<>(ToMeOptions.METHOD, "The methods to try (default: all that go with the other options).");

    @Option(
            names = "--target-time",
            paramLabel = "TIME",
            description = "How long an image may take, such as 10s or 1m30s, without loading the model: of the settings"
                    + " that are in time the one most like no merging is sought.")
    Optional<String> targetTime = Optional.empty();

    @Option(
            names = "--min-ssim",
            paramLabel = "SHARE",
            description = "How like the unmerged image it must be, such as 0.9 (SSIM, the mean over the prompts): the"
                    + " fastest such setting is sought, or with --target-time the one most like among those in time.")
    Optional<Double> minSsim = Optional.empty();

    @Option(
            names = "--budget",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Begin no further setting when this time is used up (default: ${DEFAULT-VALUE}).")
    String budget = "10m";

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Keep the images and their times in this folder: a search that was stopped goes on there.")
    Optional<Path> out = Optional.empty();

    /** The options in help. */
    ArgGroupSpec group(String title, int order) {
        return OptionGroup.of(table.specs()).and(methods).and(this).titled(title, order);
    }

    /** @throws OptionException if none is given, or one is out of its range */
    TuneGoal goal() {
        if (targetTime.isEmpty() && minSsim.isEmpty()) {
            throw new OptionException("Say what to reach: --target-time 10s, --min-ssim 0.9, or both");
        }
        OptionalDouble seconds = OptionalDouble.empty();
        if (targetTime.isPresent()) {
            Duration time = Durations.parse("--target-time", targetTime.get(), "");
            seconds = OptionalDouble.of(time.toNanos() / 1e9);
        }
        return new TuneGoal(seconds, minSsim.isPresent() ? OptionalDouble.of(minSsim.get()) : OptionalDouble.empty());
    }

    Duration budget() {
        return Durations.parse("--budget", budget, "");
    }

    /**
     * @return the settings to start from, of whatever ratio
     * @throws OptionException if a value is out of its range, or two do not go together
     */
    List<ToMeOptions> settings() {
        List<ToMeOptions.Method> given = methods.values();
        if (!given.isEmpty()) {
            return given.stream().map(this::setting).toList();
        }
        ToMeOptions usual = setting(ToMeOptions.METHOD.defaultValue());
        List<ToMeOptions> settings = new ArrayList<>(List.of(usual));
        for (ToMeOptions.Method other : ToMeOptions.Method.values()) {
            ifPossible(other).filter(setting -> !setting.equals(usual)).ifPresent(settings::add);
        }
        return settings;
    }

    private ToMeOptions setting(ToMeOptions.Method method) {
        return table.applyTo(ToMeOptions.ratio(0.5)).method(method);
    }

    /** Empty if the method does not go with an option that was given. */
    private Optional<ToMeOptions> ifPossible(ToMeOptions.Method method) {
        try {
            return Optional.of(setting(method));
        } catch (OptionException e) {
            return Optional.empty();
        }
    }
}
