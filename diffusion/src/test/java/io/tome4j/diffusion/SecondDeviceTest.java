package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SecondDevice;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What would fail on a GPU fails here: the whole pipeline on a device that is not the CPU, where a tensor made on the wrong one
 * is an error, and in fp16, where one of another dtype is.
 */
class SecondDeviceTest {
    private static final Request REQUEST =
            Request.of("a robot").size(64, 64).steps(1).seed(5);

    @BeforeAll
    static void aDevice() {
        assumeTrue(SecondDevice.start(), "this libtorch has no lazy device");
    }

    private static StableDiffusionPipeline pipeline(String model, ComputeDevice device, DType dtype) {
        CheckpointFolder checkpoint = CheckpointFolder.open(Fixtures.path(model));
        Stages stages = ModelFamily.of(checkpoint)
                .load(checkpoint, model, new Placement(device, dtype), PipelineOptions.DEFAULT);
        return new StableDiffusionPipeline(stages, UsedFiles.of(model, PipelineOptions.DEFAULT));
    }

    /** The same requests on the CPU and on the second device give the same images. */
    private static void requireSame(String model, List<Request> requests) {
        try (var cpu = pipeline(model, ComputeDevice.CPU, DType.FP32);
                var second = pipeline(model, ComputeDevice.LAZY, DType.FP32)) {
            for (Request request : requests) {
                List<Image> expected = cpu.generate(request).images();
                List<Image> actual = second.generate(request).images();
                for (int i = 0; i < expected.size(); i++) {
                    assertThat(PipelineParityTest.mostChannelsDiffer(
                                    expected.get(i).toBufferedImage(),
                                    actual.get(i).toBufferedImage()))
                            .as("%s", request)
                            .isLessThanOrEqualTo(2);
                }
            }
        }
    }

    /** Else the others would show nothing. */
    @Test
    void tensorsOfTwoDevicesDoNotMix() {
        try (var scope = TensorScope.open()) {
            Tensor here = Tensors.of(new long[] {1, 2}, 2).to(torch.ScalarType.Float);
            Tensor there = new Placement(ComputeDevice.LAZY, DType.FP32).place(here);
            assertThat(Tensors.floats(there.add(there))).containsExactly(2, 4);
            assertThatThrownBy(() -> there.add(here)).isInstanceOf(RuntimeException.class);
            assertThatThrownBy(() -> there.index_select(0, Tensors.of(new long[] {1}, 1)))
                    .isInstanceOf(RuntimeException.class);
        }
    }

    @Test
    void everyWayOfMergingWorksThere() {
        ToMeOptions half = ToMeOptions.ratio(0.5);
        requireSame(
                "tiny-sd1",
                List.of(
                        REQUEST.merging(ToMeOptions.NONE),
                        REQUEST.merging(half),
                        REQUEST.merging(
                                half.maxDownsample(2).mergeCrossattn(true).mergeMlp(true)),
                        REQUEST.merging(half.sizeWeighted(true)),
                        REQUEST.merging(half.method(ToMeOptions.Method.QUERY)),
                        REQUEST.merging(half.method(ToMeOptions.Method.TODO)),
                        REQUEST.merging(half.mode(ToMeOptions.Mode.TOMESD))));
        assertThat(ToMeOptions.Method.values()).hasSize(3); // one more belongs above
    }

    @Test
    void workLeftOutAndBatchesWorkThere() {
        requireSame(
                "tiny-sd2",
                List.of(
                        REQUEST.steps(2).reuseEvery(2),
                        REQUEST.steps(2).guidanceInterval(0, 0.5),
                        REQUEST.prompts(List.of("a robot", "a harbour")).imagesPerPrompt(2)));
    }

    @Test
    void twoTextEncodersAndTheRescaleWorkThere() {
        requireSame("tiny-sdxl", List.of(REQUEST.merging(ToMeOptions.ratio(0.5)).guidanceRescale(0.7)));
    }

    @Test
    void everySchedulerWorksThere() {
        requireSame(
                "tiny-sd1",
                Schedulers.names().stream()
                        .map(name -> REQUEST.merging(ToMeOptions.NONE).scheduler(name))
                        .toList());
    }

    @Test
    void inHalfPrecisionNothingIsOfAnotherDtype() {
        try (var pipeline = pipeline("tiny-sd1", ComputeDevice.LAZY, DType.FP16)) {
            for (ToMeOptions merging : List.of(
                    ToMeOptions.ratio(0.5).sizeWeighted(true).matchPrecision(Precision.BF16),
                    ToMeOptions.ratio(0.5).method(ToMeOptions.Method.TODO))) {
                assertThat(pipeline.generate(REQUEST.merging(merging)).images()).hasSize(1);
            }
        }
    }
}
