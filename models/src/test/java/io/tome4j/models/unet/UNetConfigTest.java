package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.TomeException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class UNetConfigTest {
    private static Config config() {
        return Config.read(Fixtures.path("tiny-sd1/unet/config.json"));
    }

    @ParameterizedTest
    @CsvSource({
        "act_fn, gelu, \"silu\"",
        "class_embed_type, timestep, null",
        "resnet_time_scale_shift, scale_shift, \"default\"",
        "addition_embed_type, image, \"text_time\"",
        "mid_block_type, UNetMidBlock2DSimpleCrossAttn, \"UNetMidBlock2DCrossAttn\""
    })
    void anUnsupportedValueIsNamedWithWhatIsSupported(String key, String value, String supported) {
        assertThatThrownBy(() -> UNetConfig.of(config().with(key, value)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining("'" + key + "' is \"" + value + "\"; supported: " + supported);
    }

    @Test
    void anUnknownKeyIsAnErrorThatNamesIt() {
        assertThatThrownBy(() -> UNetConfig.of(config().with("warp_factor", 9)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("Unknown in")
                .hasMessageContaining("'warp_factor': 9");
    }

    @Test
    void anUnknownBlockTypeIsNamed() {
        assertThatThrownBy(() -> UNetConfig.of(config().with(
                                "down_block_types",
                                List.of("CrossAttnDownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("SkipDownBlock2D")
                .hasMessageContaining("supported: DownBlock2D, CrossAttnDownBlock2D");
    }

    @Test
    void headsThatDoNotDivideTheChannelsAreRefused() {
        assertThatThrownBy(() -> UNetConfig.of(config().with("attention_head_dim", 5)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'attention_head_dim' is 5");
    }

    @Test
    void aSupportedValueOfAnotherNumberTypeIsTheSame() {
        assertThat(UNetConfig.of(config().with("mid_block_scale_factor", 1.0)).levels())
                .isEqualTo(4);
    }

    @Test
    void listsSayForEachLevelWhatANumberSaysForAll() {
        UNetConfig one = UNetConfig.of(config());
        UNetConfig each = UNetConfig.of(config().with("layers_per_block", List.of(2, 2, 2, 2))
                .with("cross_attention_dim", List.of(32, 32, 32, 32))
                .with("only_cross_attention", List.of(false, false, false, false))
                .with("attention_head_dim", List.of(4, 4, 4, 4))
                .with("transformer_layers_per_block", List.of(1, 1, 1, 1))
                .with("sample_size", List.of(16, 16)));
        assertThat(each).isEqualTo(one);
        assertThat(UNetConfig.of(config().with("sample_size", List.of(16, 24))).sampleSize())
                .isEqualTo(new TokenGrid(16, 24));
        assertThat(UNetConfig.of(config().with("layers_per_block", List.of(2, 1, 3, 1)))
                        .layout()
                        .blocks())
                .extracting(block -> block.stages().size())
                .containsExactly(2, 1, 3, 1, 2, 2, 4, 2, 3);
    }

    @Test
    void whatAListSaysOfALevelWithoutAttentionDoesNotMatter() {
        Config config = config().with("mid_block_type", "UNetMidBlock2D");
        UNetConfig same = UNetConfig.of(config);
        assertThat(UNetConfig.of(config.with("cross_attention_dim", List.of(32, 32, 32, 999))))
                .isEqualTo(same);
        assertThat(UNetConfig.of(config.with("only_cross_attention", List.of(false, false, false, true))))
                .isEqualTo(same);
    }

    @Test
    void sizesThatOldProgramsWroteTooSmallAreThoseOfStableDiffusion() {
        Config old = config().with("_diffusers_version", "0.8.1");
        assertThat(UNetConfig.of(old).sampleSize()).isEqualTo(new TokenGrid(64, 64));
        assertThat(UNetConfig.of(old.with("sample_size", 96)).sampleSize()).isEqualTo(new TokenGrid(96, 96));
        assertThat(UNetConfig.of(config().with("_diffusers_version", "0.10.0")).sampleSize())
                .isEqualTo(new TokenGrid(16, 16));
    }

    @Test
    void whatTheMovingAverageLeavesIsNotTheModels() {
        Config averaged = config().with("decay", 0.9999)
                .with("inv_gamma", 1.0)
                .with("min_decay", 0.0)
                .with("optimization_step", 10000)
                .with("power", 0.75)
                .with("update_after_step", 0)
                .with("use_ema_warmup", false);
        assertThat(UNetConfig.of(averaged)).isEqualTo(UNetConfig.of(config()));
    }

    static Stream<Arguments> nonsense() {
        return Stream.of(
                Arguments.of("norm_num_groups", 7),
                Arguments.of("norm_num_groups", 0),
                Arguments.of("block_out_channels", List.of()),
                Arguments.of("block_out_channels", List.of(16, 16, 16, 4294967320L)),
                Arguments.of("block_out_channels", List.of(16, 16, 16, -24)),
                Arguments.of("attention_head_dim", List.of(4, 4, 4, 4294967300L)),
                Arguments.of("attention_head_dim", 4294967300L),
                Arguments.of("sample_size", 0),
                Arguments.of("sample_size", List.of(16)),
                Arguments.of("sample_size", List.of(16, -1)),
                Arguments.of("sample_size", 1_000_000_000),
                Arguments.of("layers_per_block", List.of(2, 2, 2)),
                Arguments.of("layers_per_block", List.of(2, 0, 2, 2)),
                Arguments.of("layers_per_block", 2_000_000_000),
                Arguments.of("transformer_layers_per_block", 2_000_000_000),
                Arguments.of("cross_attention_dim", List.of(32, 32, 64, 32)),
                Arguments.of("cross_attention_dim", 0),
                Arguments.of("only_cross_attention", List.of(false, true, false, false)),
                Arguments.of("only_cross_attention", true),
                Arguments.of("norm_eps", Double.NaN),
                Arguments.of("norm_eps", -1),
                Arguments.of("norm_eps", Double.POSITIVE_INFINITY),
                Arguments.of("freq_shift", 8),
                Arguments.of("in_channels", -4));
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void nonsenseIsNamedWhileTheConfigIsRead(String key, Object value) {
        assertThatThrownBy(() -> UNetConfig.of(config().with(key, value)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining("'" + key + "' is ");
    }
}
