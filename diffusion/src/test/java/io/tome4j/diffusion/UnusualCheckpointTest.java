package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints as people have them: what diffusers draws from them is drawn, and what it cannot use is said at once. */
class UnusualCheckpointTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final String IPNDM =
            """
            {"_class_name": "IPNDMScheduler", "algorithm_type": "deis", "beta_start": 0.00085, "beta_end": 0.012,
             "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "solver_order": 2, "solver_type": "logrho",
             "lower_order_final": true, "steps_offset": 1, "timestep_spacing": "leading", "tensor_format": "pt"}
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void tinyCheckpoint() {
        Fixtures.copy("tiny-sd1", folder, file -> true);
    }

    @Test
    void aSchedulerThatIsNotBuiltInMayBeReplacedByName() throws IOException {
        write("scheduler/scheduler_config.json", IPNDM);
        setIndex("scheduler", "IPNDMScheduler");
        try (var pipeline = load()) {
            assertThatThrownBy(() -> pipeline.generate(request("")))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("scheduler 'IPNDMScheduler'")
                    .hasMessageContaining("Choose another one by name: pndm, ddim, euler");
            set("scheduler/scheduler_config.json", "_class_name", "\"EulerDiscreteScheduler\"");
            assertThat(pixels(pipeline, "euler")).isEqualTo(draw("euler"));
        }
    }

    @ParameterizedTest
    @CsvSource({"EulerAncestralDiscreteScheduler, euler_a", "DDIMScheduler, ddim", "EulerDiscreteScheduler, euler"})
    void theSchedulersClassIsTheOneThatTheModelIndexNames(String className, String name) throws IOException {
        int[] byName = draw(name);
        assertThat(byName).isNotEqualTo(draw(""));
        setIndex("scheduler", className);
        set("scheduler/scheduler_config.json", "steps_offset", "1"); // PNDM's file has the class's other settings
        assertThat(draw("")).isEqualTo(byName);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "unet | [\"diffusers\", \"UNet3DConditionModel\"] | names a UNet3DConditionModel as its unet",
                "unet | [null, null] | names no unet",
                "vae | [\"diffusers\", \"AutoencoderTiny\"] | names a AutoencoderTiny as its vae",
                "text_encoder | [null, null] | names no text_encoder",
                "text_encoder | [\"transformers\", \"T5EncoderModel\"] | names a T5EncoderModel as its text_encoder",
                "tokenizer | null | names no tokenizer",
                "scheduler | [null, null] | names no scheduler"
            })
    void aPartOfAnotherClassOrNoneIsNamed(String part, String value, String message) throws IOException {
        set("model_index.json", part, value);
        assertThatThrownBy(this::load)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("model_index.json")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "StableDiffusionImg2ImgPipeline",
                "StableDiffusionInpaintPipeline",
                "StableDiffusionControlNetPipeline",
                "SomethingThatPeopleWroteThemselvesPipeline"
            })
    void aPipelineOfAnotherClassWithTheSamePartsIsDrawnAsStableDiffusion(String pipeline) throws IOException {
        int[] plain = draw("");
        set("model_index.json", "_class_name", '"' + pipeline + '"');
        setIndex("controlnet", "ControlNetModel");
        setIndex("safety_checker", "Whatever");
        set("model_index.json", "image_encoder", "3");
        assertThat(draw("")).isEqualTo(plain);
    }

    @Test
    void aUNetThatWantsDepthIsRefusedBeforeWeightsAreRead() throws IOException {
        set("model_index.json", "_class_name", "\"StableDiffusionDepth2ImgPipeline\"");
        set("unet/config.json", "in_channels", "5");
        Files.delete(folder.resolve("unet/diffusion_pytorch_model.safetensors"));
        assertThatThrownBy(this::load).isInstanceOf(TomeException.class).hasMessageContaining("'in_channels' is 5");
    }

    @Test
    void whatTrainingAndOldProgramsLeaveInConfigsChangesNothing() throws IOException {
        int[] plain = draw("");
        for (String config : new String[] {"unet/config.json", "vae/config.json", "text_encoder/config.json"}) {
            set(config, "decay", "0.9999");
            set(config, "inv_gamma", "1.0");
            set(config, "min_decay", "0.0");
            set(config, "optimization_step", "10000");
            set(config, "power", "0.75");
            set(config, "update_after_step", "0");
            set(config, "use_ema_warmup", "false");
        }
        set("scheduler/scheduler_config.json", "tensor_format", "\"pt\"");
        assertThat(draw("")).isEqualTo(plain);
    }

    @Test
    void listsInTheUNetsConfigChangeNothingAndASizeMayHaveTwoSides() throws IOException {
        int[] plain = draw("");
        set("unet/config.json", "layers_per_block", "[2, 2, 2, 2]");
        set("unet/config.json", "cross_attention_dim", "[32, 32, 32, 32]");
        set("unet/config.json", "only_cross_attention", "[false, false, false, false]");
        set("unet/config.json", "attention_head_dim", "[4, 4, 4, 4]");
        set("unet/config.json", "sample_size", "[8, 8]");
        assertThat(draw("")).isEqualTo(plain);
        set("unet/config.json", "sample_size", "[4, 6]");
        try (var pipeline = load()) {
            Image image = pipeline.generate(request("").size(0, 0)).image();
            assertThat(new int[] {image.width(), image.height()}).containsExactly(48, 32);
        }
    }

    /** The middle adds nothing to what passes it if all it ends with is zero; what is left is the model without. */
    @Test
    void aUNetWithoutAMiddleDrawsWhatOneDrawsWhoseMiddleAddsNothing() throws IOException {
        rewriteUNet(name -> true, name -> name.matches("mid_block\\.(resnets.*\\.conv2|attentions.*\\.proj_out)\\..*"));
        int[] addsNothing = draw("");
        rewriteUNet(name -> !name.startsWith("mid_block."), name -> false);
        set("unet/config.json", "mid_block_type", "null");
        assertThat(draw("")).isEqualTo(addsNothing);
    }

    @Test
    void partsWithoutTheVariantGiveTheirPlainWeights() throws IOException {
        int[] plain = draw("");
        Files.move(
                folder.resolve("unet/diffusion_pytorch_model.safetensors"),
                folder.resolve("unet/diffusion_pytorch_model.fp16.safetensors"));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(folder.toString(), CPU_FP32.variant("fp16"))) {
            assertThat(pixels(pipeline, "")).isEqualTo(plain);
        }
        assertThatThrownBy(() -> StableDiffusionPipeline.fromPretrained(folder.toString(), CPU_FP32.variant("bf16")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no weights of the variant 'bf16'");
    }

    @Test
    void aMarkerWithoutAnEmbeddingIsRefusedWhileLoading() throws IOException {
        set("tokenizer/vocab.json", "<|endoftext|>", "100000");
        assertThatThrownBy(this::load)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("marker '<|endoftext|>' has the id 100000")
                .hasMessageContaining("'vocab_size' is 994");
    }

    @ParameterizedTest
    @CsvSource({
        "num_train_timesteps, 1000000000",
        "num_train_timesteps, 4294968296",
        "beta_start, -1",
        "beta_end, NaN",
        "beta_end, 1e999",
        "warp_factor, 9"
    })
    void aNoiseScheduleThatMakesNoSenseIsNamedWhileLoading(String key, String value) throws IOException {
        String config = Files.readString(folder.resolve("scheduler/scheduler_config.json"));
        write(
                "scheduler/scheduler_config.json",
                config.replaceFirst("\"" + key + "\": [^,\\n]*,", "")
                        .replaceFirst("\\{", "{\"" + key + "\": " + value + ","));
        assertThatThrownBy(this::load)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("scheduler_config.json")
                .hasMessageContaining("'" + key + "'");
    }

    @Test
    void anInterruptedThreadIsToldSoAndStaysInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(this::load).isInstanceOf(TomeException.class).hasMessageContaining("was interrupted");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(draw("")).isNotEmpty();
    }

    private void rewriteUNet(Predicate<String> kept, Predicate<String> zero) {
        Path file = folder.resolve("unet/diffusion_pytorch_model.safetensors");
        SafetensorsFile old = SafetensorsFile.open(file);
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            old.names().stream().filter(kept).forEach(name -> {
                Tensor tensor = old.load(name).to(ScalarType.Float);
                tensors.put(name, zero.test(name) ? tensor.zero_() : tensor);
            });
            SafetensorsWriter.write(file, tensors);
        }
    }

    private StableDiffusionPipeline load() {
        return StableDiffusionPipeline.fromPretrained(folder.toString(), CPU_FP32);
    }

    private int[] draw(String scheduler) {
        try (var pipeline = load()) {
            return pixels(pipeline, scheduler);
        }
    }

    private static int[] pixels(StableDiffusionPipeline pipeline, String scheduler) {
        var image = pipeline.generate(request(scheduler)).image().toBufferedImage();
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }

    private static Request request(String scheduler) {
        return Request.of("a red apple").seed(1).steps(4).size(64, 64).scheduler(scheduler);
    }

    private void write(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text);
    }

    private void set(String file, String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(folder.resolve(file).toFile());
        json.set(key, JSON.readTree(value));
        write(file, json.toString());
    }

    private void setIndex(String part, String className) throws IOException {
        set("model_index.json", part, "[\"diffusers\", \"" + className + "\"]");
    }
}
