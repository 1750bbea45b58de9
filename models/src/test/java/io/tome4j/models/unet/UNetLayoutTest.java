package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.RandomWeights;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.UNetLayout.Block;
import io.tome4j.models.unet.UNetLayout.Stage;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UNetLayoutTest {
    /** Levels and transformer blocks as Stable Diffusion XL has them, with few channels. */
    private static final String LIKE_SDXL_JSON =
            """
            {
              "attention_head_dim": [2, 4, 8],
              "block_out_channels": [32, 64, 128],
              "cross_attention_dim": 16,
              "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
              "transformer_layers_per_block": [1, 2, 10],
              "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
              "use_linear_projection": true
            }
            """;

    private static final Config LIKE_SDXL = Config.parse(LIKE_SDXL_JSON, "like SDXL");

    private static final UNetLayout LAYOUT = UNetConfig.of(LIKE_SDXL).layout();

    @Test
    void blocksRunDownThenUpAndLevelsMayHaveNoAttention() {
        assertThat(LAYOUT.down())
                .containsExactly(
                        new Block("down_blocks.0", 0, List.of(new Stage(32, 0, 32, 0), new Stage(32, 0, 32, 0)), true),
                        new Block("down_blocks.1", 1, List.of(new Stage(32, 0, 64, 2), new Stage(64, 0, 64, 2)), true),
                        new Block(
                                "down_blocks.2",
                                2,
                                List.of(new Stage(64, 0, 128, 10), new Stage(128, 0, 128, 10)),
                                false));
        assertThat(LAYOUT.mid())
                .isEqualTo(new Block(
                        "mid_block", 2, List.of(new Stage(128, 0, 128, 10), new Stage(128, 0, 128, 0)), false));
        assertThat(LAYOUT.blocks())
                .extracting(Block::name)
                .containsExactly(
                        "down_blocks.0",
                        "down_blocks.1",
                        "down_blocks.2",
                        "mid_block",
                        "up_blocks.0",
                        "up_blocks.1",
                        "up_blocks.2");
    }

    @Test
    void theWayUpTakesTheSkipsOfTheWayDownFromTheirEnd() {
        assertThat(LAYOUT.up())
                .extracting(Block::stages)
                .containsExactly(
                        List.of(
                                new Stage(128, 128, 128, 10),
                                new Stage(128, 128, 128, 10),
                                new Stage(128, 64, 128, 10)),
                        List.of(new Stage(128, 64, 64, 2), new Stage(64, 64, 64, 2), new Stage(64, 32, 64, 2)),
                        List.of(new Stage(64, 32, 32, 0), new Stage(32, 32, 32, 0), new Stage(32, 32, 32, 0)));
        assertThat(LAYOUT.up()).extracting(Block::resamples).containsExactly(true, true, false);
    }

    @Test
    void theModelHasTheBlocksOfItsLayoutAndRuns() {
        Weights weights = Weights.of(new RandomWeights(1), Placement.CPU_FP32);
        try (var unet = UNet2DConditionModel.of(weights, LIKE_SDXL, AttentionKernel.EFFICIENT);
                var scope = TensorScope.open()) {
            Map<Integer, Long> blocks = unet.mergeableBlocks().stream()
                    .collect(Collectors.groupingBy(MergeableBlock::downsample, Collectors.counting()));
            assertThat(blocks).containsExactlyInAnyOrderEntriesOf(Map.of(2, (2 + 3) * 2L, 4, (2 + 1 + 3) * 10L));
            var latents = Tensors.randn(Tensors.generator(1), 1, 4, 6, 5);
            var text = Tensors.randn(Tensors.generator(2), 1, 3, 16);
            assertThat(Tensors.shape(unet.forward(latents, 9, text, MergeContext.NONE)))
                    .containsExactly(1, 4, 6, 5);
        }
    }

    @Test
    void aLevelThatAttendsNeedsTransformerLayersAndEachLevelANumber() {
        String key = "transformer_layers_per_block";
        assertThat(UNetConfig.of(LIKE_SDXL.with(key, List.of(0, 2, 10))).layout())
                .isEqualTo(LAYOUT);
        for (List<Integer> layers : List.of(List.of(1, 2), List.of(1, 0, 10))) {
            assertThatThrownBy(() -> UNetConfig.of(LIKE_SDXL.with(key, layers)))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining(
                            "'" + key + "' is " + layers.toString().replace(" ", ""));
        }
    }

    @ParameterizedTest
    @CsvSource({"UNetMidBlock2D, 1", "'', 0"})
    void theMiddleMayBeOneResidualBlockOrNothing(String type, int stages) {
        Config config = Config.parse(
                LIKE_SDXL_JSON.replaceFirst(
                        "\\{", "{\"mid_block_type\": " + (type.isEmpty() ? "null" : '"' + type + '"') + ","),
                "a small model");
        UNetLayout layout = UNetConfig.of(config).layout();
        assertThat(layout.mid().stages()).hasSize(stages);
        assertThat(layout.blocks()).hasSize(6 + stages);
        Weights weights = Weights.of(new RandomWeights(1), Placement.CPU_FP32);
        try (var unet = UNet2DConditionModel.of(weights, config, AttentionKernel.EFFICIENT);
                var scope = TensorScope.open()) {
            assertThat(unet.mergeableBlocks()).hasSize((2 + 3) * 2 + (2 + 3) * 10);
            var latents = Tensors.randn(Tensors.generator(1), 1, 4, 6, 5);
            var text = Tensors.randn(Tensors.generator(2), 1, 3, 16);
            assertThat(Tensors.shape(unet.forward(latents, 9, text, MergeContext.NONE)))
                    .containsExactly(1, 4, 6, 5);
            assertThat(unet.forwardBytes(1, new TokenGrid(6, 5), AttentionKernel.EFFICIENT))
                    .isPositive();
        }
    }
}
