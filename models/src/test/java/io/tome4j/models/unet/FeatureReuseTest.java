package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.MergeContext;
import io.tome4j.models.unet.UNetLayout.Block;
import io.tome4j.models.unet.UNetLayout.Cut;
import io.tome4j.models.unet.UNetLayout.Stage;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FeatureReuseTest {
    private static final Path FOLDER = Fixtures.path("tiny-sd1/unet");
    private static final UNetLayout LAYOUT =
            UNetConfig.of(Config.read(FOLDER.resolve("config.json"))).layout();
    private static final double EARLY = 900;
    private static final double LATE = 100;

    private static UNet2DConditionModel unet;

    @BeforeAll
    static void load() {
        unet = UNet2DConditionModel.of(
                Weights.of(
                        SafetensorsFile.open(FOLDER.resolve("diffusion_pytorch_model.safetensors")),
                        Placement.CPU_FP32),
                Config.read(FOLDER.resolve("config.json")),
                AttentionKernel.EFFICIENT);
    }

    @AfterAll
    static void close() {
        unet.close();
    }

    private static Tensor latents(int seed, int rows) {
        return Tensors.randn(Tensors.generator(seed), rows, 4, 8, 8);
    }

    private static Conditioning conditioning(int rows) {
        return unet.condition(Tensors.randn(Tensors.generator(9), rows, 7, unet.crossAttentionDim()), EARLY, LATE);
    }

    private static float[] forward(
            Tensor latents, double timestep, Conditioning conditioning, FeatureReuse reuse, boolean reuses) {
        return Tensors.floats(unet.forward(latents, timestep, conditioning, MergeContext.NONE, reuse.pass(reuses)));
    }

    static IntStream branches() {
        return IntStream.range(0, 12);
    }

    @ParameterizedTest
    @MethodSource("branches")
    void withItsOwnFeaturesAPassGivesWhatTheWholeGives(int branch) {
        try (var scope = TensorScope.open();
                var reuse = unet.reuse(branch)) {
            Conditioning conditioning = conditioning(2);
            float[] whole = forward(latents(1, 2), EARLY, conditioning, FeatureReuse.NONE, false);
            assertThat(forward(latents(1, 2), EARLY, conditioning, reuse, true))
                    .as("nothing is kept yet")
                    .isEqualTo(whole);
            assertThat(forward(latents(1, 2), EARLY, conditioning, reuse, true)).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @MethodSource("branches")
    void withFeaturesOfAnotherTimestepAPassGivesSomethingElse(int branch) {
        try (var scope = TensorScope.open();
                var reuse = unet.reuse(branch)) {
            Conditioning conditioning = conditioning(2);
            float[] whole = forward(latents(2, 2), LATE, conditioning, FeatureReuse.NONE, false);
            forward(latents(1, 2), EARLY, conditioning, reuse, false);
            assertThat(forward(latents(2, 2), LATE, conditioning, reuse, true)).isNotEqualTo(whole);
            assertThat(forward(latents(2, 2), LATE, conditioning, reuse, false)).isEqualTo(whole);
        }
    }

    @Test
    void aSmallerBatchTakesTheLastRowsOfFeaturesAndTextAndALargerOneComputesThemAnew() {
        try (var scope = TensorScope.open();
                var reuse = unet.reuse(1)) {
            Conditioning conditioning = conditioning(2);
            forward(latents(1, 2), EARLY, conditioning, reuse, false);
            float[] both = forward(latents(2, 2), LATE, conditioning, reuse, true);
            Tensor second = Tensors.slice(latents(2, 2), 0, 1, 2);
            float[] one = forward(second, LATE, conditioning, reuse, true);
            assertThat(one).hasSize(both.length / 2);
            for (int i = 0; i < one.length; i++) {
                assertThat(Math.abs(one[i] - both[one.length + i])).isLessThan(1e-5f);
            }
            forward(second, EARLY, conditioning, reuse, false);
            assertThat(forward(latents(2, 2), LATE, conditioning, reuse, true))
                    .isEqualTo(forward(latents(2, 2), LATE, conditioning, FeatureReuse.NONE, false));
        }
    }

    @Test
    void branchesAreThreeALevelAndThoseThatALevelLacksAreItsLast() {
        assertThat(IntStream.range(0, 12).mapToObj(LAYOUT::cut))
                .containsExactly(
                        new Cut(0, 0, 2),
                        new Cut(0, 1, 1),
                        new Cut(0, 2, 0),
                        new Cut(1, 0, 2),
                        new Cut(1, 1, 1),
                        new Cut(1, 2, 0),
                        new Cut(2, 0, 2),
                        new Cut(2, 1, 1),
                        new Cut(2, 2, 0),
                        new Cut(3, 0, 2),
                        new Cut(3, 1, 1),
                        new Cut(3, 2, 0));
        UNetLayout oneStage = UNetConfig.of(Config.read(Fixtures.path("tiny-sd2/unet/config.json")))
                .layout();
        assertThat(oneStage.cut(4)).isEqualTo(new Cut(1, 1, 0)).isEqualTo(oneStage.cut(5));
        assertThatThrownBy(() -> LAYOUT.cut(12))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("reuse_branch is 12");
    }

    @Test
    void theLayoutKnowsWhatRunsAroundACut() {
        assertThat(LAYOUT.blocksAround(LAYOUT.cut(0)))
                .containsExactly(new Block("up_blocks.3", 0, List.of(new Stage(16, 16, 16, 1)), false));
        assertThat(LAYOUT.blocksAround(LAYOUT.cut(4)))
                .extracting(Block::name, block -> block.stages().size(), Block::resamples)
                .containsExactly(
                        tuple("down_blocks.0", 2, true),
                        tuple("down_blocks.1", 1, false),
                        tuple("up_blocks.2", 2, true),
                        tuple("up_blocks.3", 3, false));
    }

    @Test
    void featuresBelongToTheReuseAndGoWithIt() {
        try (var scope = TensorScope.open()) {
            Conditioning conditioning = conditioning(1);
            Tensor input = latents(1, 1);
            long before = TensorScope.liveObjects();
            FeatureReuse reuse = unet.reuse(0);
            for (int i = 0; i < 3; i++) {
                try (var pass = TensorScope.open()) {
                    forward(input, EARLY, conditioning, reuse, i == 1);
                }
                assertThat(TensorScope.liveObjects()).isEqualTo(before + 1);
            }
            reuse.close();
            reuse.close();
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
            assertThatThrownBy(() -> forward(input, EARLY, conditioning, reuse, true))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
        }
    }
}
