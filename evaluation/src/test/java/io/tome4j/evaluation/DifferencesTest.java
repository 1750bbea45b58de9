package io.tome4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DifferencesTest {
    @Test
    void whatIsMissingOnEitherSideIsADifference() {
        assertThat(Differences.between(Map.of("steps", "2", "size", "64x64"), Map.of("steps", "2", "seed", "1")))
                .containsExactly("seed was none and is now 1", "size was 64x64 and is now none");
    }

    @Test
    void theSameSettingsHaveNone() {
        assertThat(Differences.between(Map.of("steps", "2"), Map.of("steps", "2")))
                .isEmpty();
    }
}
