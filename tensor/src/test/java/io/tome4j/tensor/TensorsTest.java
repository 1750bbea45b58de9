package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class TensorsTest {
    @Test
    void valuesGoInAndComeOutInRowMajorOrder() {
        try (var scope = TensorScope.open()) {
            assertThat(Tensors.floats(Tensors.of(new float[] {1, 2, 3, 4}, 2, 2).transpose(0, 1)))
                    .containsExactly(1, 3, 2, 4);
            assertThat(Tensors.longs(Tensors.of(new long[] {5, 1L << 40}, 2))).containsExactly(5, 1L << 40);
        }
    }

    @Test
    void anEmptyTensorHasNoValues() {
        try (var scope = TensorScope.open()) {
            assertThat(Tensors.floats(torch.zeros(0, 3))).isEmpty();
            assertThat(Tensors.longs(torch.zeros(new long[] {0}, new TensorOptions(ScalarType.Long))))
                    .isEmpty();
        }
    }
}
