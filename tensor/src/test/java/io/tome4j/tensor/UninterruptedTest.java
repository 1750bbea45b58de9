package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UninterruptedTest {
    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    @Test
    void workDoesNotSeeTheInterruptAndTheThreadKeepsIt() {
        Thread.currentThread().interrupt();
        assertThat(Uninterrupted.get(() -> Thread.currentThread().isInterrupted()))
                .isFalse();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Uninterrupted.get(() -> 7)).isEqualTo(7);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void workThatFailsLeavesTheInterruptToo() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> Uninterrupted.get(() -> {
                    throw new TomeException("no");
                }))
                .hasMessage("no");
        assertThat(Thread.interrupted()).isTrue();
    }
}
