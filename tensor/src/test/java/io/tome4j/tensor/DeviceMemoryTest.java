package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Platform;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    private static final long MB = 1 << 20;

    private final DeviceMemory memory = DeviceMemory.of(Placement.CPU_FP32);

    private void touch(long megabytes) {
        try (var scope = TensorScope.open()) {
            torch.ones(megabytes * MB / 4);
        }
    }

    @Test
    void thePeakIsThatOfTheWorkAndNotOfWhatRanBefore() {
        assumeTrue(Platform.isLinux());
        touch(400);
        memory.releaseUnused();
        long small = memory.peakOf(() -> touch(20)).getAsLong();
        memory.releaseUnused();
        long large = memory.peakOf(() -> touch(300)).getAsLong();
        assertThat(large - small).isBetween(200 * MB, 360 * MB);
    }

    @Test
    void whatIsAvailableIsLessThanTheMachineHas() {
        assumeTrue(Platform.isLinux());
        assertThat(memory.available().getAsLong())
                .isPositive()
                .isLessThan(DeviceMemory.machineTotal().getAsLong());
    }
}
