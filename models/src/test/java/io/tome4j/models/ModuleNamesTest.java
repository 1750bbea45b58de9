package io.tome4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ModuleNames;
import io.tome4j.checkpoint.ModuleNames.Module;
import io.tome4j.checkpoint.RandomWeights;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTextNames;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.unet.UNetNames;
import io.tome4j.models.vae.AutoencoderKL;
import io.tome4j.models.vae.VaeNames;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.Weights;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModuleNamesTest {
    private static final String SD1 =
            """
            {
              "attention_head_dim": 8,
              "block_out_channels": [8, 16, 32, 32],
              "cross_attention_dim": 16,
              "down_block_types":
                  ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
              "norm_num_groups": 8,
              "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
            }
            """;
    private static final String SDXL =
            """
            {
              "attention_head_dim": [1, 2, 4],
              "block_out_channels": [8, 16, 32],
              "cross_attention_dim": 16,
              "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
              "norm_num_groups": 8,
              "transformer_layers_per_block": [1, 2, 3],
              "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
              "use_linear_projection": true
            }
            """;
    /** Blocks left out here and there, and levels with other numbers of stages. */
    private static final String UNEVEN =
            """
            {
              "attention_head_dim": [1, 2, 4],
              "block_out_channels": [8, 16, 32],
              "cross_attention_dim": 16,
              "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
              "layers_per_block": [1, 3, 2],
              "mid_block_type": null,
              "norm_num_groups": 8,
              "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]
            }
            """;

    private static final String RESIDUAL_MIDDLE = SDXL.replaceFirst("\\{", "{\"mid_block_type\": \"UNetMidBlock2D\",");

    /** What a model asks for while it is built. */
    private static final class Recording implements Weights.Source {
        private final Weights.Source random = new RandomWeights(1);
        private final Set<String> modules = new TreeSet<>();

        @Override
        public Set<String> names() {
            return Set.of();
        }

        @Override
        public boolean has(String name) {
            return true;
        }

        @Override
        public Tensor load(String name, long[] shape) {
            modules.add(name.substring(0, name.lastIndexOf('.')));
            return random.load(name, shape);
        }

        @Override
        public String origin(String name) {
            return random.origin(name);
        }
    }

    private static Set<String> built(Function<Weights, AutoCloseable> build) throws Exception {
        Recording recording = new Recording();
        build.apply(Weights.of(recording, Placement.CPU_FP32)).close();
        return recording.modules;
    }

    private static Set<String> diffusers(ModuleNames names) {
        return names.all().stream().map(Module::diffusers).collect(Collectors.toCollection(TreeSet::new));
    }

    private static ModuleNames unet(String json) {
        return UNetNames.of(UNetConfig.of(Config.parse(json, "test")));
    }

    @ParameterizedTest
    @ValueSource(strings = {SD1, SDXL, UNEVEN})
    void theModulesOfAUNetAreThoseItIsBuiltOf(String json) throws Exception {
        requireWhatIsBuilt(json);
    }

    @Test
    void aMiddleOfOneResidualBlockHasItsNamesToo() throws Exception {
        requireWhatIsBuilt(RESIDUAL_MIDDLE);
        assertThat(unet(RESIDUAL_MIDDLE).ofDiffusers("mid_block.resnets.0.conv1"))
                .hasValue(new Module("mid_block.resnets.0.conv1", "middle_block.0.in_layers.2"));
    }

    private static void requireWhatIsBuilt(String json) throws Exception {
        Set<String> built = built(
                weights -> UNet2DConditionModel.of(weights, Config.parse(json, "test"), AttentionKernel.EFFICIENT));
        assertThat(diffusers(unet(json))).isEqualTo(built);
    }

    @ParameterizedTest
    @CsvSource({
        "time_embed.2, time_embedding.linear_2",
        "input_blocks.0.0, conv_in",
        "input_blocks.3.0.op, down_blocks.0.downsamplers.0.conv",
        "input_blocks.4.0.skip_connection, down_blocks.1.resnets.0.conv_shortcut",
        "input_blocks.8.1.transformer_blocks.0.attn2.to_out.0,"
                + " down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_out.0",
        "input_blocks.11.0.emb_layers.1, down_blocks.3.resnets.1.time_emb_proj",
        "middle_block.1.proj_in, mid_block.attentions.0.proj_in",
        "middle_block.2.out_layers.3, mid_block.resnets.1.conv2",
        "output_blocks.2.1.conv, up_blocks.0.upsamplers.0.conv",
        "output_blocks.5.2.conv, up_blocks.1.upsamplers.0.conv",
        "output_blocks.11.1.transformer_blocks.0.ff.net.0.proj,"
                + " up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj",
        "out.0, conv_norm_out"
    })
    void stableDiffusion1HasTheNamesOfItsFiles(String ldm, String diffusers) {
        assertThat(unet(SD1).ofLdm(ldm)).hasValue(new Module(diffusers, ldm));
        assertThat(unet(SD1).ofDiffusers(diffusers)).hasValue(new Module(diffusers, ldm));
    }

    @ParameterizedTest
    @CsvSource({
        "input_blocks.2.0.in_layers.0, down_blocks.0.resnets.1.norm1",
        "input_blocks.4.1.transformer_blocks.1.attn1.to_q, down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q",
        "input_blocks.8.1.proj_out, down_blocks.2.attentions.1.proj_out",
        "output_blocks.2.2.conv, up_blocks.0.upsamplers.0.conv",
        "output_blocks.5.1.norm, up_blocks.1.attentions.2.norm",
        "output_blocks.8.0.in_layers.2, up_blocks.2.resnets.2.conv1"
    })
    void stableDiffusionXlHasTheNamesOfItsFiles(String ldm, String diffusers) {
        assertThat(unet(SDXL).ofLdm(ldm)).hasValue(new Module(diffusers, ldm));
    }

    @Test
    void theEncoderHalfEndsWithTheMiddle() {
        ModuleNames encoder = UNetNames.ofEncoder(UNetConfig.of(Config.parse(SD1, "test")));
        assertThat(diffusers(encoder)).isSubsetOf(diffusers(unet(SD1)));
        assertThat(encoder.ofLdm("middle_block.2.out_layers.3")).isPresent();
        assertThat(encoder.all())
                .noneMatch(module -> module.diffusers().startsWith("up_blocks")
                        || module.diffusers().startsWith("conv_out"));
    }

    @Test
    void theModulesOfAVaeAreThoseItIsBuiltOf() throws Exception {
        Config config = Config.read(Fixtures.path("tiny-sd1/vae/config.json"));
        assertThat(diffusers(VaeNames.of(config))).isEqualTo(built(weights -> AutoencoderKL.of(weights, config)));
    }

    @ParameterizedTest
    @CsvSource({
        "encoder.down.1.block.0.norm2, encoder.down_blocks.1.resnets.0.norm2",
        "encoder.down.2.block.0.nin_shortcut, encoder.down_blocks.2.resnets.0.conv_shortcut",
        "encoder.mid.attn_1.proj_out, encoder.mid_block.attentions.0.to_out.0",
        "decoder.up.3.block.2.conv1, decoder.up_blocks.0.resnets.2.conv1",
        "decoder.up.1.upsample.conv, decoder.up_blocks.2.upsamplers.0.conv",
        "decoder.norm_out, decoder.conv_norm_out",
        "post_quant_conv, post_quant_conv"
    })
    void aVaeHasTheNamesOfItsFiles(String ldm, String diffusers) {
        ModuleNames names = VaeNames.of(Config.read(Fixtures.path("tiny-sd1/vae/config.json")));
        assertThat(names.ofLdm(ldm)).hasValue(new Module(diffusers, ldm));
    }

    @Test
    void theModulesOfATextEncoderAreThoseItIsBuiltOf() throws Exception {
        Config config = Config.read(Fixtures.path("tiny-sd2/text_encoder/config.json"));
        assertThat(diffusers(ClipTextNames.of(config)))
                .isEqualTo(built(weights -> ClipTextModel.of(weights, config, AttentionKernel.EFFICIENT)));
    }

    @Test
    void twoModulesOfOneNameAreAMistakeOfTheProgram() {
        ModuleNames.Builder names = new ModuleNames.Builder().add("a", "b");
        assertThatThrownBy(() -> names.add("c", "b")).isInstanceOf(IllegalStateException.class);
    }
}
