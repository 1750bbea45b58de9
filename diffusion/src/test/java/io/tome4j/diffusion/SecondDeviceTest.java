package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SecondDevice;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What would fail on a GPU fails here: the whole pipeline on a device that is not the CPU. */
class SecondDeviceTest {
    @BeforeAll
    static void aDevice() {
        assumeTrue(SecondDevice.start());
    }

    private static StableDiffusionPipeline pipeline(String model, ComputeDevice device, DType dtype) {
        CheckpointFolder checkpoint = CheckpointFolder.open(Fixtures.path(model));
        return new StableDiffusionPipeline(ModelFamily.of(checkpoint)
                .load(checkpoint, model, new Placement(device, dtype), PipelineOptions.DEFAULT));
    }

    @Test
    void theImageIsTheCpus() {
        Request request = Request.of("a robot").size(64, 64).steps(3).seed(5);
        try (var cpu = pipeline("tiny-sd1", ComputeDevice.CPU, DType.FP32);
                var second = pipeline("tiny-sd1", ComputeDevice.LAZY, DType.FP32)) {
            long start = System.nanoTime();
            for (ToMeOptions merging : List.of(ToMeOptions.NONE, ToMeOptions.ratio(0.5))) {
                var r = second.generate(request.merging(merging));
                System.err.println(merging + " " + (System.nanoTime() - start) / 1e9);
                assertThat(r.image()).isNotNull();
            }
        }
    }
}
