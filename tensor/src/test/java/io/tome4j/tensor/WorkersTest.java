package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void everyNumberIsDoneOnce(int threads) {
        Engine.start();
        AtomicIntegerArray times = new AtomicIntegerArray(100);
        new Workers(threads).forEach(100, number -> times.incrementAndGet((int) number));
        assertThat(IntStream.range(0, 100).map(times::get)).containsOnly(1);
    }

    @Test
    void libtorchUsesOneThreadInsideAndAsManyAsBeforeOutside() {
        int before = Engine.start().threads();
        Set<Integer> inside = ConcurrentHashMap.newKeySet();
        Workers workers = new Workers(2);
        workers.forEach(20, number -> inside.add(torch.get_num_threads()));
        assertThat(inside).containsExactly(1);
        assertThat(torch.get_num_threads()).isEqualTo(before);
    }

    @Test
    void tensorsOfTheCallerCanBeReadAndWritten() {
        Engine.start();
        Workers workers = new Workers(3);
        try (var scope = TensorScope.open()) {
            Tensor sums = torch.zeros(7);
            Tensor x = torch.ones(7, 5);
            long objects = TensorScope.liveObjects();
            workers.forEach(7, row -> {
                try (var task = TensorScope.open()) {
                    sums.select(0, row).copy_(x.select(0, row).sum());
                }
            });
            assertThat(TensorScope.liveObjects()).isEqualTo(objects);
            assertThat(Tensors.floats(sums)).containsOnly(5);
        }
    }

    @Test
    void aFailureComesBackAndTheThreadsLiveOn() {
        Engine.start();
        Workers workers = new Workers(2);
        assertThatThrownBy(() -> workers.forEach(10, number -> {
                    throw new TomeException("number " + number);
                }))
                .isInstanceOf(TomeException.class);
        workers.forEach(10, number -> {});
    }
}
