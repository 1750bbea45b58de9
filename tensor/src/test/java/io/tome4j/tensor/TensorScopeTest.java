package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
    @BeforeAll
    static void start() {
        Engine.start();
    }

    private static Tensor threeOnes() {
        try (var scope = TensorScope.open()) {
            torch.zeros(1000); // must not outlive the scope
            return scope.release(torch.ones(3));
        }
    }

    @Test
    void releasedTensorLivesInTheScopeAroundAndNoLonger() {
        long before = TensorScope.liveObjects();
        try (var outer = TensorScope.open()) {
            Tensor ones = threeOnes();
            assertThat(Tensors.floats(ones)).containsExactly(1, 1, 1);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void releasedWithoutAScopeAroundBelongsToTheCaller() {
        long before = TensorScope.liveObjects();
        try (Tensor ones = threeOnes()) {
            assertThat(Tensors.floats(ones)).containsExactly(1, 1, 1);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void resultOfAnInPlaceOperationCanBeReleased() {
        try (var outer = TensorScope.open()) {
            Tensor result;
            try (var scope = TensorScope.open()) {
                Tensor ones = torch.ones(3);
                result = scope.release(ones.add_(torch.ones(3)).mul_(new Scalar(2)));
            }
            torch.zeros(3); // would take the freed memory
            assertThat(Tensors.floats(result)).containsExactly(4, 4, 4);
        }
    }

    @Test
    void aTensorFromOutsideCanBeReleasedAndStillBelongsOutside() {
        long before = TensorScope.liveObjects();
        try (var outer = TensorScope.open()) {
            Tensor mine = torch.ones(3);
            try (var scope = TensorScope.open()) {
                scope.release(mine);
            }
            assertThat(Tensors.floats(mine)).containsExactly(1, 1, 1);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void retainedTensorOutlivesEveryScopeUntilClosed() {
        long before = TensorScope.liveObjects();
        Tensor kept;
        try (var outer = TensorScope.open()) {
            try (var scope = TensorScope.open()) {
                kept = scope.retain(torch.ones(2));
            }
        }
        assertThat(Tensors.floats(kept)).containsExactly(1, 1);
        kept.close();
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void gradientsAreOffInsideAndAsBeforeOutside() {
        assertThat(GradMode.is_enabled()).isTrue();
        try (var outer = TensorScope.open()) {
            try (var inner = TensorScope.open()) {
                assertThat(GradMode.is_enabled()).isFalse();
            }
            assertThat(GradMode.is_enabled()).isFalse();
        }
        assertThat(GradMode.is_enabled()).isTrue();
    }
}
