package io.tome4j.models.singlefile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ModuleNames.Module;
import io.tome4j.models.text.ClipTextNames;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.unet.UNetNames;
import io.tome4j.models.vae.VaeNames;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SingleFileTest {
    @TempDir
    Path folder;

    private final List<String> notices = new ArrayList<>();

    private Path file() {
        return folder.resolve("model.safetensors");
    }

    private SingleFile open(Header header) {
        return SingleFile.open(header.write(file()), SingleFileOptions.DEFAULT, notices::add);
    }

    private SingleFile open(Header header, BaseModel base) {
        return SingleFile.open(
                header.write(file()), new SingleFileOptions(Optional.of(base), Optional.empty(), false), notices::add);
    }

    private void assertRefused(Header header, String... parts) {
        assertThatThrownBy(() -> open(header))
                .isInstanceOf(TomeException.class)
                .message()
                .contains(file().toString())
                .contains(parts);
    }

    private static UNetConfig unet(Checkpoint checkpoint) {
        return UNetConfig.of(checkpoint.component("unet").config());
    }

    /** Every module has its tensors, and every tensor its module. */
    private static void requireWhole(Checkpoint checkpoint) {
        StoredTensors unet = checkpoint.component("unet").weights();
        assertThat(UNetNames.of(unet(checkpoint)).all())
                .extracting(Module::diffusers)
                .allMatch(module -> unet.has(module + ".weight"));
        StoredTensors vae = checkpoint.component("vae").weights();
        assertThat(VaeNames.of(checkpoint.component("vae").config()).all())
                .extracting(Module::diffusers)
                .allMatch(module -> vae.has(module + ".weight") && vae.has(module + ".bias"));
        assertThat(vae.shape("decoder.mid_block.attentions.0.to_q.weight")).containsExactly(512, 512);
        assertThat(vae.shape("quant_conv.weight")).containsExactly(8, 8, 1, 1);
        for (String name : List.of("text_encoder", "text_encoder_2")) {
            if (checkpoint.has(name)) {
                StoredTensors text = checkpoint.component(name).weights();
                assertThat(ClipTextNames.of(checkpoint.component(name).config()).all())
                        .extracting(Module::diffusers)
                        .allMatch(module -> text.has(module + ".weight"));
            }
        }
    }

    @Test
    void stableDiffusion1IsToldByItsShapes() {
        SingleFile file = open(new Header().sd1(4));
        requireWhole(file);
        UNetConfig unet = unet(file);
        assertThat(unet.blockOutChannels()).containsExactly(320, 640, 1280, 1280);
        assertThat(unet.downAttention()).containsExactly(true, true, true, false);
        assertThat(unet.upAttention()).containsExactly(false, true, true, true);
        assertThat(unet.heads()).containsExactly(8, 8, 8, 8);
        assertThat(unet.layersPerBlock()).containsExactly(2, 2, 2, 2);
        assertThat(unet.crossAttentionDim()).isEqualTo(768);
        assertThat(unet.useLinearProjection()).isFalse();
        assertThat(unet.sampleSize().height()).isEqualTo(64);
        assertThat(file.modelIndex().pipelineClass()).isEqualTo("StableDiffusionPipeline");
        assertThat(file.component("vae").config().number("scaling_factor")).isEqualTo(0.18215);
        assertThat(file.component("text_encoder").config().text("hidden_act")).isEqualTo("quick_gelu");
        assertThat(file.component("text_encoder").config().integer("num_attention_heads"))
                .isEqualTo(12);
        assertThat(file.component("scheduler").config().text("_class_name")).isEqualTo("PNDMScheduler");
        assertThat(notices)
                .singleElement()
                .asString()
                .contains("Stable Diffusion 1.x", "predicts noise", "512x512", "F16");
    }

    @Test
    void stableDiffusion2HasTheLastLayerButOneOfItsTextEncoder() {
        SingleFile file = open(new Header().sd2().metadata("modelspec.prediction_type", "v"));
        requireWhole(file);
        assertThat(unet(file).heads()).containsExactly(5, 10, 20, 20);
        assertThat(unet(file).useLinearProjection()).isTrue();
        assertThat(unet(file).sampleSize().width()).isEqualTo(96);
        Config text = file.component("text_encoder").config();
        assertThat(text.integer("num_hidden_layers")).isEqualTo(23);
        assertThat(text.integer("num_attention_heads")).isEqualTo(16);
        assertThat(text.text("hidden_act")).isEqualTo("gelu");
        StoredTensors weights = file.component("text_encoder").weights();
        assertThat(weights.shape("text_model.encoder.layers.22.self_attn.k_proj.weight"))
                .containsExactly(1024, 1024);
        assertThat(weights.has("text_model.encoder.layers.23.layer_norm1.weight"))
                .isFalse();
        assertThat(file.component("scheduler").config().text("prediction_type")).isEqualTo("v_prediction");
        assertThat(file.component("tokenizer").config().text("pad_token")).isEqualTo("!");
    }

    @Test
    void stableDiffusion2ForInpaintingPredictsNoise() {
        SingleFile file = open(new Header()
                .under("model.diffusion_model.")
                .sd2Unet(9)
                .under("first_stage_model.")
                .vae(4)
                .under("cond_stage_model.model.")
                .openClip(1024, 23));
        assertThat(file.component("scheduler").config().text("prediction_type")).isEqualTo("epsilon");
        assertThat(file.component("text_encoder").config().integer("num_hidden_layers"))
                .isEqualTo(23);
    }

    @Test
    void aFlatBiasTellsNoiseInStableDiffusion2() {
        SingleFile file = open(new Header().sd2()); // all zeros: no spread
        assertThat(file.base()).hasValue(BaseModel.SD21_BASE);
        assertThat(file.component("scheduler").config().text("prediction_type")).isEqualTo("epsilon");
    }

    @Test
    void sdxlHasTwoTextEncodersAndItsOwnScale() {
        SingleFile file = open(new Header().sdxl(4));
        requireWhole(file);
        UNetConfig unet = unet(file);
        assertThat(unet.transformerLayers()).containsExactly(1, 2, 10);
        assertThat(unet.heads()).containsExactly(5, 10, 20);
        assertThat(unet.textTime()).isPresent();
        assertThat(unet.sampleSize().width()).isEqualTo(128);
        assertThat(file.modelIndex().pipelineClass()).isEqualTo("StableDiffusionXLPipeline");
        assertThat(file.component("vae").config().number("scaling_factor")).isEqualTo(0.13025);
        assertThat(file.component("text_encoder").config().text("hidden_act")).isEqualTo("quick_gelu");
        Config second = file.component("text_encoder_2").config();
        assertThat(second.texts("architectures")).containsExactly("CLIPTextModelWithProjection");
        assertThat(second.integer("num_hidden_layers")).isEqualTo(32);
        assertThat(second.integer("projection_dim")).isEqualTo(1280);
        assertThat(file.component("tokenizer").config().text("pad_token")).isEqualTo("<|endoftext|>");
        assertThat(file.component("tokenizer_2").config().text("pad_token")).isEqualTo("!");
        assertThat(file.component("scheduler").config().text("timestep_spacing"))
                .isEqualTo("leading");
    }

    @Test
    void marksOfTrainersTellVelocityAndZeroTerminalSnr() {
        SingleFile file = open(new Header().sdxl(4).tensor("v_pred").tensor("ztsnr"));
        Config scheduler = file.component("scheduler").config();
        assertThat(scheduler.text("prediction_type")).isEqualTo("v_prediction");
        assertThat(scheduler.text("timestep_spacing")).isEqualTo("trailing");
        assertThat(scheduler.flag("rescale_betas_zero_snr", false)).isTrue();
    }

    @Test
    void velocityAloneDoesNotImplyZeroTerminalSnr() {
        SingleFile file = open(new Header().sdxl(4).tensor("v_pred"));
        assertThat(file.component("scheduler").config().flag("rescale_betas_zero_snr", false))
                .isFalse();
    }

    @Test
    void theRefinerHasTheSecondTextEncoderAlone() {
        SingleFile file = open(new Header().refiner());
        requireWhole(file);
        assertThat(unet(file).blockOutChannels()).containsExactly(384, 768, 1536, 1536);
        assertThat(unet(file).transformerLayers()).endsWith(4);
        assertThat(file.modelIndex().pipelineClass()).isEqualTo("StableDiffusionXLImg2ImgPipeline");
        assertThat(file.modelIndex().components()).containsKey("text_encoder_2").doesNotContainKey("text_encoder");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void inpaintingIsToldByItsChannels(boolean xl) {
        SingleFile file = open(xl ? new Header().sdxl(9) : new Header().sd1(9));
        assertThat(unet(file).inChannels()).isEqualTo(9);
        assertThat(file.modelIndex().pipelineClass()).contains("Inpaint");
        assertThat(notices.get(0)).contains("for inpainting");
    }

    @Test
    void turboIsSaidAsItsFileLooksLikeSdxl() {
        SingleFile file = open(new Header().sdxl(4), BaseModel.SDXL_TURBO);
        assertThat(file.component("scheduler").config().text("timestep_spacing"))
                .isEqualTo("trailing");
        assertThat(unet(file).sampleSize().width()).isEqualTo(64);
    }

    @Test
    void aUNetAloneSaysWhereItsOtherPartsAreToCome() {
        SingleFile file = open(new Header().sd1Unet(4));
        assertThat(file.has("unet")).isTrue();
        assertThatThrownBy(() -> file.component("vae"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("has no vae (there: unet)")
                .hasMessageContaining("config");
    }

    @Test
    void textEncodersMayLackTheNameOfTheModel() {
        Header header = new Header().sd1(4);
        Header bare = new Header()
                .under("model.diffusion_model.")
                .sd1Unet(4)
                .under("first_stage_model.")
                .vae(4);
        bare.under("cond_stage_model.transformer.").clip();
        SingleFile with = open(header);
        SingleFile without = open(bare.withoutInside("text_model."));
        assertThat(without.component("text_encoder").config().integer("num_hidden_layers"))
                .isEqualTo(12);
        assertThat(with.component("text_encoder").config().integer("num_hidden_layers"))
                .isEqualTo(12);
        assertThat(without.component("text_encoder").weights().has("final_layer_norm.weight"))
                .isTrue();
    }

    @Test
    void anUnknownTensorAmongTheModelsIsAnErrorAndOneBesideItANotice() {
        assertRefused(
                new Header().sd1(4).tensor("model.diffusion_model.input_blocks.1.0.in_layers.9.weight", 3),
                "Unexpected",
                "in_layers.9");
        open(new Header().sd1(4).tensor("something.else", 3));
        assertThat(notices).anyMatch(notice -> notice.contains("'something.else'"));
    }

    @Test
    void aMissingTensorIsNamedAsTheFileNamesIt() {
        assertRefused(
                new Header().sd1(4).without("model.diffusion_model.out.2.weight"),
                "'model.diffusion_model.out.2.weight'");
    }

    @Test
    void aTruncatedFileIsSaidToBe() throws IOException {
        Path file = new Header().sd1(4).write(file());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
        assertThatThrownBy(() -> SingleFile.open(file, SingleFileOptions.DEFAULT, notices::add))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("truncated");
    }

    @Test
    void twoModelsInOneFileAreRefused() {
        assertRefused(
                new Header().sd1(4).under("").sd1Unet(4), "two models at once", "model.diffusion_model.input_blocks");
        assertRefused(
                new Header().sd1(4).under("conditioner.embedders.1.model.").openClip(1280, 32),
                "two models at once",
                "cond_stage_model");
        assertRefused(
                new Header().sd1(4).tensor("double_blocks.0.img_attn.qkv.weight", 3), "two models at once", "Flux");
    }

    @Test
    void aQuantisedFileIsRefused() {
        String name = "model.diffusion_model.middle_block.1.proj_in.weight";
        assertRefused(new Header().sd1(4).dtype(name, "U8"), "is quantised", name);
        assertRefused(new Header().sd1(4).tensor("x.weight.absmax", 3), "is quantised");
    }

    @Test
    void aFileWithoutItsScalesIsRefused() {
        Header header = new Header().sd1(4).tensor("scaled_fp8", 2).dtype("scaled_fp8", "F8_E4M3");
        assertRefused(
                header.dtype("model.diffusion_model.middle_block.1.proj_in.weight", "F8_E4M3"),
                "scales",
                "'scaled_fp8'");
    }

    @ParameterizedTest
    @CsvSource({"5, guided by depth", "7, enlarges images", "8, InstructPix2Pix"})
    void relativesThatTakeOtherChannelsAreNamed(int channels, String message) {
        assertRefused(new Header().sd1(channels), message, "not supported");
    }

    @Test
    void unclipAndUnknownShapesAskForTheBase() {
        Header unclip = new Header()
                .under("model.diffusion_model.")
                .unet(4, 320, new int[] {1, 2, 4, 4}, new int[] {1, 1, 1, 0}, 1, 1024, 1536, true);
        assertRefused(unclip, "unCLIP", "not supported");
        Header odd = new Header()
                .under("model.diffusion_model.")
                .unet(4, 64, new int[] {1, 2}, new int[] {1, 1}, 1, 100, 0, true);
        assertRefused(odd, "texts of size 100", "sd15, sd21-base", "config");
    }

    @Test
    void noiseLevelsOfItsOwnAreRefused() {
        assertRefused(new Header().sdxl(4).tensor("edm_mean", 4).tensor("edm_std", 4), "EDM");
    }

    @Test
    void distilledModelsOfUnevenDepthAreNamed() {
        Header header = new Header().sdxl(4);
        header.without("model.diffusion_model.output_blocks.0.1.transformer_blocks.9.");
        assertRefused(header, "different numbers of transformer blocks", "SSD-1B");
    }

    @Test
    void aVaeOfSixteenChannelsIsRefused() {
        Path vae = new Header().vae(16).write(folder.resolve("ae.safetensors"));
        assertThatThrownBy(() -> VaeFile.open(vae, () -> Config.parse("{}", "test")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("16 latent channels")
                .hasMessageContaining("Stable Diffusion 3 or Flux");
    }

    @Test
    void aVaeFileHasTheScaleOfTheOneItReplaces() {
        Path vae = new Header().under("first_stage_model.").vae(4).write(folder.resolve("vae.safetensors"));
        Checkpoint.Component part = VaeFile.open(vae, () -> Config.parse("{\"scaling_factor\": 0.13025}", "test"));
        assertThat(part.name()).isEqualTo("vae");
        assertThat(part.config().number("scaling_factor")).isEqualTo(0.13025);
        assertThat(part.weights().has("decoder.up_blocks.0.resnets.2.conv1.weight"))
                .isTrue();
    }

    @Test
    void whatIsNoVaeIsNamed() {
        Path file = new Header().tensor("emb_params", 2, 768).write(folder.resolve("x.safetensors"));
        assertThatThrownBy(() -> VaeFile.open(file, () -> Config.parse("{}", "test")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("an embedding")
                .hasMessageContaining("no VAE");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "emb_params | 2,768 | EMBEDDING | Stable Diffusion 1.x",
                "clip_g | 2,1280 | EMBEDDING | Stable Diffusion XL",
                "mytoken | 1024 | EMBEDDING | Stable Diffusion 2.x",
                "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight | 4,768 | LORA |"
                        + " Stable Diffusion 1.x",
                "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight | 8,2048 | LORA |"
                        + " Stable Diffusion XL",
                "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight | 8,1024 | LORA |"
                        + " Stable Diffusion 2.x",
                "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight | 4,3072 | LORA | Flux",
                "lora_te_text_model_encoder_layers_0_mlp_fc1.hada_w1_a | 4,768 | LORA | ''",
                "decoder.layers.3.conv.0.weight | 64,64,3,3 | TAESD | ''",
                "1.conv.0.weight | 64,64,3,3 | TAESD | ''",
                "control_model.input_hint_block.0.weight | 16,3,3,3 | CONTROLNET | ''",
                "controlnet_cond_embedding.conv_in.weight | 16,3,3,3 | CONTROLNET | ''",
                "task_embedding | 6,320 | OTHER_CONTROL | ''",
                "ip_adapter.1.to_k_ip.weight | 320,768 | IP_ADAPTER | Stable Diffusion 1.x",
                "joint_blocks.0.x_block.attn.qkv.weight | 3,3 | SD3 | ''",
                "model.diffusion_model.double_blocks.0.img_attn.qkv.weight | 3,3 | FLUX | ''",
                "adaln_single.linear.weight | 3,3 | PIXART | ''",
                "text_model.embeddings.token_embedding.weight | 49408,768 | TEXT_ENCODER | ''",
                "shared.weight | 32128,4096 | TEXT_ENCODER | ''",
                "model.1.sub.0.RDB1.conv1.0.weight | 32,64,3,3 | UPSCALER | ''",
                "RRDB_trunk.0.RDB1.conv1.weight | 32,64,3,3 | UPSCALER | ''",
                "params_ema.body.0.rdb1.conv1.weight | 32,64,3,3 | UPSCALER | ''",
                "layers.0.residual_group.blocks.0.norm1.weight | 180 | OTHER_UPSCALER | ''",
                "body.0.weight | 64,3,3,3 | OTHER_UPSCALER | ''",
                "adapter.body.0.resnets.0.block1.weight | 3,3,3,3 | T2I_ADAPTER | ''",
                "body.0.in_conv.weight | 80,192,1,1 | T2I_ADAPTER | Stable Diffusion 1.x",
                "anything.at.all | 3 | UNKNOWN | ''"
            })
    void otherFilesAreNamedWithWhatToDo(String name, String shape, FileKind kind, String fits) {
        long[] sizes =
                List.of(shape.split(",")).stream().mapToLong(Long::parseLong).toArray();
        Header header = new Header().tensor(name, sizes);
        if (name.equals("clip_g")) {
            header.tensor("clip_l", 2, 768);
        }
        FileContents contents = FileContents.of(header.write(file()));
        assertThat(contents.kind()).isEqualTo(kind);
        assertThat(contents.fits()).isEqualTo(fits);
        assertRefused(header, kind.title(), kind.use());
    }
}
