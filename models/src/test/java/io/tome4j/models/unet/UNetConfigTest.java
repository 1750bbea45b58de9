package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.TomeException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UNetConfigTest {
    private static Config config() {
        return Config.read(Fixtures.path("tiny-sd1/unet/config.json"));
    }

    @ParameterizedTest
    @CsvSource({
        "act_fn, gelu, \"silu\"",
        "class_embed_type, timestep, null",
        "resnet_time_scale_shift, scale_shift, \"default\"",
        "addition_embed_type, text_time, null",
        "mid_block_type, UNetMidBlock2D, \"UNetMidBlock2DCrossAttn\""
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
}
