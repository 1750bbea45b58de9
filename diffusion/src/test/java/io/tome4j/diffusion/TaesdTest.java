package io.tome4j.diffusion;

import static io.tome4j.diffusion.PipelineParityTest.mostChannelsDiffer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A tiny VAE in the place of a model's own: see {@code reference/parts/taesd_images.py}. */
class TaesdTest {
    private static final Path FIXTURES = Fixtures.path("taesd");
    private static final Path FOLDER = Fixtures.path("tiny-taesd");
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final int TOLERANCE = 2; // of 255
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    @TempDir
    Path work;

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    static Stream<JsonNode> cases() throws IOException {
        return StreamSupport.stream(all().get("cases").spliterator(), false);
    }

    private static JsonNode all() throws IOException {
        return new ObjectMapper().readTree(FIXTURES.resolve("cases.json").toFile());
    }

    private static JsonNode named(String name) throws IOException {
        return cases().filter(each -> each.get("name").asText().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static BufferedImage expected(JsonNode one) throws IOException {
        return ImageIO.read(FIXTURES.resolve(one.get("name").asText() + ".png").toFile());
    }

    private static StableDiffusionPipeline pipeline(String model, Path vae) {
        return StableDiffusionPipeline.fromPretrained(Fixtures.path(model).toString(), CPU_FP32.vae(vae));
    }

    private static BufferedImage image(JsonNode one, Path vae) throws IOException {
        try (var pipeline = pipeline(one.get("model").asText(), vae)) {
            return pipeline.generate(request(one)).image().toBufferedImage();
        }
    }

    private static Request request(JsonNode one) throws IOException {
        JsonNode all = all();
        Request request = Request.of(all.get("prompt").asText())
                .negativePrompt("")
                .steps(one.get("steps").asInt())
                .seed(one.get("seed").asLong())
                .guidanceScale(all.get("guidance_scale").asDouble());
        if (one.has("tome")) {
            request = request.merging(Fixtures.tomesdOptions(one.get("tome")));
        }
        return one.has("strength")
                ? request.start(Start.from(
                        SourceImage.read(FIXTURES.resolve("initial.png")),
                        one.get("strength").asDouble()))
                : request.size(all.get("size").asInt(), all.get("size").asInt());
    }

    /** The case's model with a tiny VAE of its own, as the reference saves it. */
    private static Path withTinyVae(String model, Path folder) throws IOException {
        Fixtures.copy(model, folder, file -> !file.startsWith("vae"));
        Fixtures.copy("tiny-taesd", folder.resolve("vae"), file -> !file.endsWith("expected.safetensors"));
        Path index = folder.resolve("model_index.json");
        ObjectNode json = (ObjectNode) new ObjectMapper().readTree(index.toFile());
        json.putArray("vae").add("diffusers").add("AutoencoderTiny");
        Files.writeString(index, json.toString());
        return folder;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aFolderWhoseOwnVaeIsTinyGivesTheReferencesImage(JsonNode one) throws IOException {
        Path model = withTinyVae(one.get("model").asText(), work.resolve("model"));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), CPU_FP32)) {
            BufferedImage image = pipeline.generate(request(one)).image().toBufferedImage();
            assertThat(mostChannelsDiffer(image, expected(one))).isLessThanOrEqualTo(TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void imageIsTheReferences(JsonNode one) throws IOException {
        assertThat(mostChannelsDiffer(image(one, FOLDER), expected(one))).isLessThanOrEqualTo(TOLERANCE);
    }

    /** The tensors of one half under other names. */
    private Path half(String which, String prefix, int offset, Path file) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (var scope = TensorScope.open()) {
            SafetensorsFile all = SafetensorsFile.open(FOLDER.resolve(WEIGHTS));
            for (String name : all.names()) {
                String[] parts = name.split("\\.", 4); // decoder.layers.3.conv.0.weight
                if (parts[0].equals(which)) {
                    tensors.put(prefix + (Integer.parseInt(parts[2]) + offset) + "." + parts[3], all.load(name));
                }
            }
            SafetensorsWriter.write(file, tensors);
        }
        return file;
    }

    @Test
    void theAuthorsTwoFilesAreOne() throws IOException {
        Path decoder = half("decoder", "", 1, work.resolve("taesd_decoder.safetensors"));
        half("encoder", "", 0, work.resolve("taesd_encoder.safetensors"));
        for (String name : new String[] {"sd1", "sd1-image"}) {
            JsonNode one = named(name);
            assertThat(mostChannelsDiffer(image(one, decoder), expected(one))).isLessThanOrEqualTo(TOLERANCE);
        }
    }

    @Test
    void oneFileWithDiffusersNamesIsEnough() throws IOException {
        Path file = Files.copy(FOLDER.resolve(WEIGHTS), work.resolve("taesd.safetensors"));
        JsonNode one = named("sd1-image");
        assertThat(mostChannelsDiffer(image(one, file), expected(one))).isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void aDecoderAloneDecodesAndSaysWhatItCannot() throws IOException {
        Path decoder = half("decoder", "taesd_decoder.", 1, work.resolve("small.safetensors"));
        JsonNode one = named("sd1");
        assertThat(mostChannelsDiffer(image(one, decoder), expected(one))).isLessThanOrEqualTo(TOLERANCE);
        assertThatThrownBy(() -> image(named("sd1-image"), decoder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("its encoder is missing");
        Path encoder = half("encoder", "", 0, work.resolve("half.safetensors"));
        assertThatThrownBy(() -> image(one, encoder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("holds the encoder")
                .hasMessageContaining("name the file of its decoder");
    }

    @ParameterizedTest
    @CsvSource({"tiny-sd1, taesdxl_decoder, Stable Diffusion XL", "tiny-sdxl, taesd, Stable Diffusion 1 and 2"})
    void whatItsNameSaysForOtherModelsIsRefused(String model, String name, String of) throws IOException {
        Path file = Files.copy(FOLDER.resolve(WEIGHTS), work.resolve(name + ".safetensors"));
        assertThatThrownBy(() -> pipeline(model, file).close())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(of)
                .hasMessageContaining("by its name");
    }

    @Test
    void oneOfSixteenChannelsIsRefused() throws IOException {
        Path file = work.resolve("taef1_decoder.safetensors");
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("1.weight", Tensors.of(new float[8 * 16 * 9], 8, 16, 3, 3));
            tensors.put("1.bias", Tensors.of(new float[8], 8));
            for (int layer = 0; layer < 5; layer += 2) {
                tensors.put("3.conv." + layer + ".weight", Tensors.of(new float[8 * 8 * 9], 8, 8, 3, 3));
            }
            tensors.put("4.bias", Tensors.of(new float[3], 3));
            SafetensorsWriter.write(file, tensors);
        }
        assertThatThrownBy(() -> pipeline("tiny-sd1", file).close())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("16 latent channels")
                .hasMessageContaining("Flux");
    }
}
