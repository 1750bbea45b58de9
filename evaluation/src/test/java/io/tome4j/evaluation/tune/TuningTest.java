package io.tome4j.evaluation.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TuningTest {
    private static final SortedSet<Integer> LEVELS = new TreeSet<>(List.of(1, 2, 4));
    private static final List<ToMeOptions> METHODS = List.of(
            ToMeOptions.ratio(0.1),
            ToMeOptions.ratio(0.1).method(Method.TODO),
            ToMeOptions.ratio(0.1).method(Method.QUERY));

    /** A machine on which 10 s is what an image takes, and each setting takes what these rules say. */
    private static final class Machine {
        private final List<ToMeOptions> asked = new ArrayList<>();
        private double clock;

        Trial measure(ToMeOptions setting) {
            asked.add(setting);
            Trial trial = setting.merges() ? merged(setting) : new Trial(ToMeOptions.NONE, 10, 1, 1);
            clock += trial.seconds();
            return trial;
        }

        /** Of the methods tome saves most, and query loses least for what it saves. */
        private static Trial merged(ToMeOptions options) {
            double gain =
                    switch (options.method()) {
                        case TOME -> 0.4;
                        case TODO -> 0.3;
                        default -> 0.2;
                    };
            double loss =
                    switch (options.method()) {
                        case TOME -> 0.4;
                        case TODO -> 0.6;
                        default -> 0.1;
                    };
            double seconds = 10 * (1 - gain * options.ratio());
            double ssim = 1 - loss * options.ratio();
            if (options.maxDownsample() == 2) {
                seconds -= 0.5;
                ssim -= 0.05;
            }
            seconds -= options.matchEvery() > 1 ? 0.2 : 0;
            return new Trial(options, seconds, ssim, ssim - 0.01);
        }

        TuneResult tune(TuneGoal goal, Duration budget) {
            return new Tuning(goal, List.of(Request.of("x")), METHODS, budget)
                    .search(this::measure, LEVELS, () -> (long) (clock * 1e9));
        }
    }

    private static TuneGoal time(double seconds) {
        return new TuneGoal(OptionalDouble.of(seconds), OptionalDouble.empty());
    }

    private static TuneGoal likeness(double ssim) {
        return new TuneGoal(OptionalDouble.empty(), OptionalDouble.of(ssim));
    }

    private static TuneGoal both(double seconds, double ssim) {
        return new TuneGoal(OptionalDouble.of(seconds), OptionalDouble.of(ssim));
    }

    /** The best of all settings that the search could have asked for. */
    private static Trial bestOfAll(TuneGoal goal) {
        List<Trial> all = new ArrayList<>(List.of(new Trial(ToMeOptions.NONE, 10, 1, 1)));
        for (ToMeOptions method : METHODS) {
            for (int hundredths = 1; hundredths <= (method.method() == Method.TODO ? 90 : 75); hundredths++) {
                ToMeOptions options = method.withRatio(hundredths / 100.0);
                all.add(Machine.merged(options));
                all.add(Machine.merged(options.maxDownsample(2)));
                if (method.method() != Method.TODO) {
                    all.add(Machine.merged(options.matchEvery(2)));
                    all.add(Machine.merged(options.matchEvery(2).maxDownsample(2)));
                }
            }
        }
        return goal.best(all).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"9.5", "9", "8.4", "7.5"})
    void ofTheSettingsInTimeItFindsOneNearlyAsLikeAsTheBest(double seconds) {
        Machine machine = new Machine();
        TuneResult result = machine.tune(time(seconds), Duration.ofHours(1));
        assertThat(result.complete()).isTrue();
        assertThat(result.best().orElseThrow().seconds()).isLessThanOrEqualTo(seconds);
        assertThat(result.best().get().ssim())
                .isCloseTo(bestOfAll(time(seconds)).ssim(), within(0.6 * TuneSearch.RESOLUTION));
        assertThat(machine.asked).hasSizeLessThan(30);
    }

    @ParameterizedTest
    @CsvSource({"0.97", "0.9", "0.8"})
    void ofTheSettingsLikeEnoughItFindsOneNearlyAsFastAsTheBest(double ssim) {
        Machine machine = new Machine();
        TuneResult result = machine.tune(likeness(ssim), Duration.ofHours(1));
        assertThat(result.complete()).isTrue();
        assertThat(result.best().orElseThrow().ssim()).isGreaterThanOrEqualTo(ssim);
        assertThat(result.best().get().seconds())
                .isCloseTo(bestOfAll(likeness(ssim)).seconds(), within(10 * TuneSearch.RESOLUTION));
        assertThat(machine.asked).hasSizeLessThan(30);
    }

    @Test
    void timeAndLikenessTogetherAreReachedWhereTheyCanBe() {
        TuneResult result = new Machine().tune(both(9, 0.93), Duration.ofHours(1));
        assertThat(result.best().orElseThrow().options().method()).isEqualTo(Method.QUERY);
        assertThat(result.best().get().seconds()).isLessThanOrEqualTo(9);
        assertThat(result.best().get().ssim()).isGreaterThanOrEqualTo(0.93);
    }

    @Test
    void whereNothingReachesTheGoalTheNearestIsTold() {
        TuneResult slow = new Machine().tune(time(3), Duration.ofHours(1));
        assertThat(slow.best()).isEmpty();
        assertThat(slow.complete()).isTrue();
        assertThat(slow.nearest().seconds())
                .isEqualTo(
                        slow.trials().stream().mapToDouble(Trial::seconds).min().orElseThrow());
        TuneResult unlike = new Machine().tune(both(7.5, 0.95), Duration.ofHours(1));
        assertThat(unlike.best()).isEmpty();
        assertThat(unlike.nearest().ssim()).isGreaterThanOrEqualTo(0.95);
        assertThat(unlike.nearest().seconds()).isBetween(7.5, 9.5);
    }

    @Test
    void whereNoMergingIsInTimeNothingElseIsTried() {
        Machine machine = new Machine();
        TuneResult result = machine.tune(both(10, 0.5), Duration.ofHours(1));
        assertThat(machine.asked).containsExactly(ToMeOptions.NONE);
        assertThat(result.best().orElseThrow().options()).isEqualTo(ToMeOptions.NONE);
    }

    @Test
    void coarseComesBeforeFineAndNothingIsTriedTwice() {
        Machine machine = new Machine();
        machine.tune(time(9), Duration.ofHours(1));
        assertThat(machine.asked.subList(0, 4))
                .containsExactly(
                        ToMeOptions.NONE,
                        METHODS.get(0).withRatio(0.5),
                        METHODS.get(1).withRatio(0.5),
                        METHODS.get(2).withRatio(0.5));
        assertThat(new HashSet<>(machine.asked)).hasSameSizeAs(machine.asked);
    }

    @Test
    void aChangeThatWinsIsKeptAndOneThatLosesIsNot() {
        TuneResult result = new Machine().tune(likeness(0.97), Duration.ofHours(1));
        ToMeOptions best = result.best().orElseThrow().options();
        assertThat(best.matchEvery()).isEqualTo(2);
        assertThat(best.maxDownsample()).isEqualTo(1);
        assertThat(result.trials()).anyMatch(trial -> trial.options().maxDownsample() == 2);
    }

    @Test
    void theBudgetEndsTheSearchButOneSettingIsAlwaysTried() {
        Machine machine = new Machine();
        TuneResult result = machine.tune(time(9), Duration.ofSeconds(30));
        assertThat(machine.clock).isLessThanOrEqualTo(30);
        assertThat(result.complete()).isFalse();
        TuneResult least = new Machine().tune(time(9), Duration.ZERO);
        assertThat(least.trials()).hasSize(2);
        assertThat(least.best()).isPresent();
    }

    @Test
    void aGoalOutOfRangeIsNamed() {
        assertThatThrownBy(() -> time(0)).hasMessageContaining("target_time is 0.0 s: it must be above 0");
        assertThatThrownBy(() -> likeness(1)).hasMessageContaining("min_ssim is 1.0: it must be above 0 and below 1");
        assertThatThrownBy(() -> new TuneGoal(OptionalDouble.empty(), OptionalDouble.empty()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
