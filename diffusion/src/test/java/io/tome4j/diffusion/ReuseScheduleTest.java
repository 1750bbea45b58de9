package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.diffusion.ReuseSchedule.Spacing;
import io.tome4j.fixtures.Fixtures;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReuseScheduleTest {
    private static ReuseSchedule uniform(int every) {
        return new ReuseSchedule(every, 0, Spacing.UNIFORM, 0.3, 1.4);
    }

    private static int[] fullPasses(ReuseSchedule schedule, int steps) {
        return schedule.fullPasses(steps).stream().toArray();
    }

    @Test
    void uniformlyEveryNthStepComputesAllBeginningWithTheFirst() {
        assertThat(fullPasses(uniform(3), 8)).containsExactly(0, 3, 6);
        assertThat(fullPasses(uniform(9), 8)).containsExactly(0);
        assertThat(fullPasses(uniform(1), 3)).containsExactly(0, 1, 2);
    }

    static Stream<JsonNode> references() {
        return Fixtures.cases("reuse/schedules.json").stream();
    }

    @ParameterizedTest
    @MethodSource("references")
    void nonUniformlyThoseStepsComputeAllThatDoInThePapersCode(JsonNode c) {
        int calls = c.get("calls").intValue();
        var schedule = new ReuseSchedule(
                c.get("every").intValue(),
                0,
                Spacing.NONUNIFORM,
                c.get("center").doubleValue() / calls,
                c.get("power").doubleValue());
        int[] expected = IntStream.range(0, c.get("full").size())
                .map(i -> c.get("full").get(i).intValue())
                .toArray();
        assertThat(fullPasses(schedule, calls)).containsExactly(expected);
    }

    @Test
    void whateverIsAskedForTheFirstStepComputesAllAndNoneIsBeyondTheEnd() {
        for (int steps = 1; steps <= 12; steps++) {
            for (int every = 1; every <= 13; every++) {
                for (double center : new double[] {0, 0.3, 1}) {
                    for (double power : new double[] {1, 1.5, 2}) {
                        var schedule = new ReuseSchedule(every, 0, Spacing.NONUNIFORM, center, power);
                        int[] full = fullPasses(schedule, steps);
                        assertThat(full).startsWith(0).doesNotHaveDuplicates();
                        assertThat(full[full.length - 1]).isLessThan(steps);
                    }
                }
            }
        }
    }
}
