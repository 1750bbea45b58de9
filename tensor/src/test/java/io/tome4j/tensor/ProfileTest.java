package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.Profile.Part;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class ProfileTest {
    @Test
    void layersCountTheirCallsAndOperations() {
        try (var scope = TensorScope.open();
                Profile profile = Profile.start(Placement.CPU_FP32)) {
            Linear linear = Linear.withoutBias(torch.ones(3, 5));
            linear.forward(torch.ones(2, 7, 5));
            linear.forward(torch.ones(2, 7, 5));
            Tensor tokens = torch.ones(2, 4, 6);
            AttentionKernel.NAIVE.attend(tokens, tokens, tokens, 3);
            var costs = profile.costs();
            assertThat(costs).containsOnlyKeys(Part.LINEAR, Part.ATTENTION);
            assertThat(costs.get(Part.LINEAR).calls()).isEqualTo(2);
            assertThat(costs.get(Part.LINEAR).flops()).isEqualTo(2 * 2 * 2 * 7 * 5 * 3);
            assertThat(costs.get(Part.LINEAR).nanoseconds()).isPositive();
            assertThat(costs.get(Part.ATTENTION).flops()).isEqualTo(4 * 2 * 4 * 4 * 6);
        }
    }

    @Test
    void aConvolutionCountsItsOutputsPositions() {
        try (var scope = TensorScope.open();
                Weights weights = Weights.of(
                        new WeightsTest.Ones(Map.of("weight", new long[] {5, 3, 3, 3}, "bias", new long[] {5})),
                        Placement.CPU_FP32)) {
            Conv2d strided = Conv2d.of(weights, 3, 5, 3, 2, 1);
            try (Profile profile = Profile.start(Placement.CPU_FP32)) {
                strided.forward(torch.ones(2, 3, 9, 8)); // to [2, 5, 5, 4]
                assertThat(profile.costs().get(Part.CONVOLUTION).flops()).isEqualTo(2 * (2 * 5 * 4) * (5 * 3 * 3 * 3));
            }
        }
    }

    @Test
    void aSectionInsideAnotherIsNotCountedTwice() throws InterruptedException {
        long start = System.nanoTime();
        try (Profile profile = Profile.start(Placement.CPU_FP32)) {
            try (var outer = Profile.section(Part.MERGING)) {
                try (var inner = Profile.section(Part.LINEAR, () -> 6)) {
                    Thread.sleep(20);
                }
            }
            long wall = System.nanoTime() - start;
            var costs = profile.costs();
            long inner = costs.get(Part.LINEAR).nanoseconds();
            assertThat(inner).isGreaterThanOrEqualTo(20_000_000);
            assertThat(costs.get(Part.MERGING).nanoseconds() + inner).isLessThanOrEqualTo(wall);
            assertThat(costs.get(Part.MERGING).flops()).isZero();
        }
    }

    @Test
    void nothingIsMeasuredWithoutAProfileOrOnOtherThreads() throws InterruptedException {
        try (Profile profile = Profile.start(Placement.CPU_FP32)) {
            Thread other =
                    new Thread(() -> Profile.section(Part.LINEAR, () -> 1).close());
            other.start();
            other.join();
            assertThat(profile.costs()).isEmpty();
            assertThatThrownBy(() -> Profile.start(Placement.CPU_FP32)).isInstanceOf(IllegalStateException.class);
        }
        Profile.section(Part.LINEAR, () -> {
                    throw new AssertionError("asked without need");
                })
                .close();
    }
}
