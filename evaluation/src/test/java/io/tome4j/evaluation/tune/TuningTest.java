package io.tome4j.evaluation.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
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
    private static final class Machine implements Measuring {
        private final List<Savings> asked = new ArrayList<>();
        private final double reuseLoss; // of likeness, for each step that reuses the features of one
        private final Request request;
        private double clock;

        /** Where reuse loses all there is guidance in no step, so that merging alone is of use. */
        Machine(double reuseLoss) {
            this.reuseLoss = reuseLoss;
            this.request = Request.of("x").guidanceScale(reuseLoss < 1 ? 7.5 : 1);
        }

        private double drift; // seconds that an image takes more for each second that has gone by
        private double leastRatio; // of merging that merges anything
        private int stopsAfter = Integer.MAX_VALUE;

        @Override
        public boolean merges(Savings savings) {
            return savings.merging().ratio() >= leastRatio;
        }

        @Override
        public double baselineSeconds(int time) {
            if (time == 0) {
                return 10;
            }
            double seconds = trial(Savings.NONE).seconds();
            clock += seconds;
            return seconds;
        }

        @Override
        public Trial measure(Savings setting) {
            if (asked.size() == stopsAfter) {
                throw new CancellationException("Stopped");
            }
            asked.add(setting);
            Trial trial = trial(setting);
            clock += trial.seconds();
            return trial;
        }

        Trial trial(Savings savings) {
            Trial merged = savings.merges() ? merged(savings.merging()) : new Trial(Savings.NONE, 10, 1, 1);
            Request changed = savings.applyTo(request);
            double every = changed.reuseEvery();
            double guided = request.guidanceScale() > 1 ? changed.guidanceTo() - changed.guidanceFrom() : 1;
            double seconds = merged.seconds() * (0.4 + 0.6 / every) * (0.5 + 0.5 * guided);
            double ssim = merged.ssim()
                    - reuseLoss * (every - 1)
                    - 0.2 * (1 - changed.guidanceTo())
                    - 4 * changed.guidanceFrom();
            return new Trial(savings, seconds * (1 + drift * clock), ssim, ssim - 0.01);
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
            return new Trial(Savings.of(options), seconds, ssim, ssim - 0.01);
        }

        TuneResult tune(TuneGoal goal, Duration budget) {
            return new Tuning(goal, List.of(request), METHODS, budget).search(this, LEVELS, () -> (long) (clock * 1e9));
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
    private static Trial bestOfAll(Machine machine, TuneGoal goal) {
        List<Savings> merging = new ArrayList<>(List.of(Savings.NONE));
        for (ToMeOptions method : METHODS) {
            for (int hundredths = 1; hundredths <= (method.method() == Method.TODO ? 90 : 75); hundredths++) {
                ToMeOptions options = method.withRatio(hundredths / 100.0);
                merging.add(Savings.of(options));
                merging.add(Savings.of(options.maxDownsample(2)));
                if (method.method() != Method.TODO) {
                    merging.add(Savings.of(options.matchEvery(2)));
                    merging.add(Savings.of(options.matchEvery(2).maxDownsample(2)));
                }
            }
        }
        List<Trial> all = new ArrayList<>();
        for (Savings merged : merging) {
            for (int every : List.of(1, 2, 3, 5)) {
                for (double to : List.of(1.0, 0.8, 0.6)) {
                    all.add(machine.trial(
                            merged.with(Request.REUSE_EVERY, every).with(Request.GUIDANCE_TO, to)));
                }
            }
        }
        return goal.best(all).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "9.5, 1",
        "9, 1",
        "8.4, 1",
        "7.5, 1",
        "9.5, 0.02",
        "8.4, 0.02",
        "7.5, 0.02",
        "6, 0.02",
        "5, 0.02",
        "6, 0.05"
    })
    void ofTheSettingsInTimeItFindsOneNearlyAsLikeAsTheBest(double seconds, double reuseLoss) {
        Machine machine = new Machine(reuseLoss);
        TuneResult result = machine.tune(time(seconds), Duration.ofHours(1));
        assertThat(result.complete()).isTrue();
        assertThat(result.best().orElseThrow().seconds()).isLessThanOrEqualTo(seconds);
        assertThat(result.best().get().ssim())
                .isCloseTo(bestOfAll(machine, time(seconds)).ssim(), within(0.6 * TuneSearch.RESOLUTION));
        assertThat(machine.asked).hasSizeLessThan(45);
    }

    @ParameterizedTest
    @CsvSource({"0.97, 1", "0.9, 1", "0.8, 1", "0.97, 0.02", "0.9, 0.02", "0.8, 0.02", "0.9, 0.05", "0.9, 0.005"})
    void ofTheSettingsLikeEnoughItFindsOneNearlyAsFastAsTheBest(double ssim, double reuseLoss) {
        Machine machine = new Machine(reuseLoss);
        TuneResult result = machine.tune(likeness(ssim), Duration.ofHours(1));
        assertThat(result.complete()).isTrue();
        assertThat(result.best().orElseThrow().ssim()).isGreaterThanOrEqualTo(ssim);
        assertThat(result.best().get().seconds())
                .isCloseTo(bestOfAll(machine, likeness(ssim)).seconds(), within(10 * TuneSearch.RESOLUTION));
        assertThat(machine.asked).hasSizeLessThan(45);
    }

    @Test
    void timeAndLikenessTogetherAreReachedWhereTheyCanBe() {
        TuneResult result = new Machine(1).tune(both(9, 0.93), Duration.ofHours(1));
        assertThat(result.best().orElseThrow().savings().merging().method()).isEqualTo(Method.QUERY);
        assertThat(result.best().get().seconds()).isLessThanOrEqualTo(9);
        assertThat(result.best().get().ssim()).isGreaterThanOrEqualTo(0.93);
    }

    @Test
    void whereNothingReachesTheGoalTheNearestIsTold() {
        TuneResult slow = new Machine(1).tune(time(3), Duration.ofHours(1));
        assertThat(slow.best()).isEmpty();
        assertThat(slow.complete()).isTrue();
        assertThat(slow.nearest().seconds())
                .isEqualTo(
                        slow.trials().stream().mapToDouble(Trial::seconds).min().orElseThrow());
        TuneResult unlike = new Machine(1).tune(both(7.5, 0.95), Duration.ofHours(1));
        assertThat(unlike.best()).isEmpty();
        assertThat(unlike.nearest().ssim()).isGreaterThanOrEqualTo(0.95);
        assertThat(unlike.nearest().seconds()).isBetween(7.5, 9.5);
    }

    @Test
    void whereNoMergingIsInTimeNothingElseIsTried() {
        Machine machine = new Machine(1);
        TuneResult result = machine.tune(both(10, 0.5), Duration.ofHours(1));
        assertThat(machine.asked).containsExactly(Savings.NONE);
        assertThat(result.best().orElseThrow().savings()).isEqualTo(Savings.NONE);
    }

    @Test
    void coarseComesBeforeFineAndNothingIsTriedTwice() {
        Machine machine = new Machine(1);
        machine.tune(time(9), Duration.ofHours(1));
        assertThat(machine.asked.subList(0, 4))
                .containsExactly(
                        Savings.NONE,
                        Savings.of(METHODS.get(0).withRatio(0.5)),
                        Savings.of(METHODS.get(1).withRatio(0.5)),
                        Savings.of(METHODS.get(2).withRatio(0.5)));
        assertThat(new HashSet<>(machine.asked)).hasSameSizeAs(machine.asked);
    }

    @Test
    void aChangeThatWinsIsKeptAndOneThatLosesIsNot() {
        TuneResult result = new Machine(1).tune(likeness(0.97), Duration.ofHours(1));
        ToMeOptions best = result.best().orElseThrow().savings().merging();
        assertThat(best.matchEvery()).isEqualTo(2);
        assertThat(best.maxDownsample()).isEqualTo(1);
        assertThat(result.trials()).anyMatch(trial -> trial.savings().merging().maxDownsample() == 2);
    }

    @Test
    void whereReuseCostsLittleItIsPartOfTheBestTogetherWithMerging() {
        TuneResult result = new Machine(0.02).tune(likeness(0.9), Duration.ofHours(1));
        Savings best = result.best().orElseThrow().savings();
        assertThat(best.applyTo(Request.of("x")).reuseEvery()).isGreaterThan(1);
        assertThat(best.merges()).isTrue();
        assertThat(result.trials()).anyMatch(trial -> trial.savings().changes(Request.GUIDANCE_TO));
    }

    @Test
    void whatARequestLeavesOutAlreadyIsNotTriedAgain() {
        Machine machine = new Machine(0.02);
        Request request = Request.of("x").guidanceScale(1).reuseEvery(3);
        new Tuning(likeness(0.8), List.of(request), METHODS, Duration.ofHours(1))
                .search(machine, LEVELS, System::nanoTime);
        assertThat(machine.asked).noneMatch(savings -> savings.changes(Request.GUIDANCE_TO));
        assertThat(machine.asked)
                .filteredOn(savings -> savings.changes(Request.REUSE_EVERY))
                .isNotEmpty()
                .allMatch(savings -> savings.text(Request.REUSE_EVERY).equals("5"));
    }

    @Test
    void theBudgetEndsTheSearchButOneSettingIsAlwaysTried() {
        Machine machine = new Machine(1);
        TuneResult result = machine.tune(time(9), Duration.ofSeconds(30));
        assertThat(machine.clock).isLessThanOrEqualTo(30);
        assertThat(result.complete()).isFalse();
        TuneResult least = new Machine(1).tune(time(9), Duration.ZERO);
        assertThat(least.trials()).hasSize(2);
        assertThat(least.best()).isPresent();
    }

    @Test
    void whatMergesNothingIsNeitherMeasuredNorOffered() {
        Machine machine = new Machine(1);
        machine.leastRatio = 0.6;
        TuneResult result = machine.tune(likeness(0.7), Duration.ofHours(1));
        assertThat(machine.asked)
                .allMatch(savings -> !savings.merges() || savings.merging().ratio() >= 0.6);
        assertThat(result.best().orElseThrow().ratio()).isGreaterThanOrEqualTo(0.6);
        machine = new Machine(1);
        machine.leastRatio = 2; // as where --auto turns all off
        TuneResult nothing = machine.tune(likeness(0.7), Duration.ofHours(1));
        assertThat(nothing.trials()).noneMatch(trial -> trial.savings().merges());
        assertThat(nothing.best().orElseThrow().savings()).isEqualTo(Savings.NONE);
        assertThat(nothing.complete()).isTrue();
    }

    @Test
    void aMachineThatBecomesSlowerOrQuickerMakesNoSettingLookSo() {
        for (double drift : new double[] {0.01, -0.002}) {
            Machine machine = new Machine(1);
            machine.drift = drift;
            TuneResult result = machine.tune(likeness(0.8), Duration.ofHours(1));
            assertThat(result.drift()).isGreaterThan(1.1);
            machine.drift = 0;
            for (Trial trial : result.trials()) {
                double withoutDrift = 10 / machine.trial(trial.savings()).seconds();
                assertThat(result.speedUp(trial)).isCloseTo(withoutDrift, within(0.12));
            }
        }
        assertThat(new Machine(1).tune(likeness(0.8), Duration.ofHours(1)).drift())
                .isEqualTo(1);
    }

    @Test
    void aSearchThatWasStoppedTellsWhatItHas() {
        Machine machine = new Machine(1);
        machine.stopsAfter = 3;
        TuneResult result = machine.tune(time(9), Duration.ofHours(1));
        assertThat(result.complete()).isFalse();
        assertThat(result.trials()).hasSize(3);
        Machine atOnce = new Machine(1);
        atOnce.stopsAfter = 0;
        assertThatThrownBy(() -> atOnce.tune(time(9), Duration.ofHours(1))).isInstanceOf(CancellationException.class);
    }

    @Test
    void aGoalOutOfRangeIsNamed() {
        assertThatThrownBy(() -> time(0)).hasMessageContaining("target_time is 0.0 s: it must be above 0");
        assertThatThrownBy(() -> likeness(1)).hasMessageContaining("min_ssim is 1.0: it must be above 0 and below 1");
        assertThatThrownBy(() -> new TuneGoal(OptionalDouble.empty(), OptionalDouble.empty()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
