package io.tome4j.cli.tune;

import io.tome4j.cli.options.Durations;
import io.tome4j.cli.options.MergingDetailOptions;
import io.tome4j.evaluation.tune.TuneGoal;
import io.tome4j.merging.ToMeOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Option;

/** What to reach, and what to try for it. */
final class TuneOptions extends MergingDetailOptions {
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
            names = "--methods",
            split = ",",
            paramLabel = "tome|todo|query",
            description = "The methods to try (default: all that go with the other options).")
    List<ToMeOptions.Method> methods = new ArrayList<>();

    @Option(
            names = "--budget",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Begin no further setting when this time is used up (default: ${DEFAULT-VALUE}).")
    String budget = "10m";

    /** @throws IllegalArgumentException if none is given, or one is out of its range */
    TuneGoal goal() {
        if (targetTime.isEmpty() && minSsim.isEmpty()) {
            throw new IllegalArgumentException("Say what to reach: --target-time 10s, --min-ssim 0.9, or both");
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
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    List<ToMeOptions> settings() {
        double anyRatio = 0.5;
        if (!methods.isEmpty()) {
            return methods.stream()
                    .distinct()
                    .map(method -> options(method, anyRatio))
                    .toList();
        }
        List<ToMeOptions> settings = new ArrayList<>(List.of(options(ToMeOptions.Method.TOME, anyRatio)));
        for (ToMeOptions.Method other : List.of(ToMeOptions.Method.TODO, ToMeOptions.Method.QUERY)) {
            ifPossible(other, anyRatio).ifPresent(settings::add);
        }
        return settings;
    }

    /** Empty if the method does not go with an option that was given. */
    private Optional<ToMeOptions> ifPossible(ToMeOptions.Method method, double ratio) {
        try {
            return Optional.of(options(method, ratio));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
