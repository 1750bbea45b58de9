package io.tome4j.models.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.CheckpointFolder.Component;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClipModelTest {
    private static final Path FOLDER = Fixtures.path("measures/tiny-clip");

    /** The first file that is mapped leaves something behind that stays. */
    @BeforeAll
    static void loadOnce() {
        load(FOLDER).close();
    }

    private static ClipModel load(Path folder) {
        return ClipModel.of(Component.alone(folder, ""), Placement.CPU_FP32);
    }

    private static SafetensorsFile expected() {
        return SafetensorsFile.open(Fixtures.path("measures/tensors.safetensors"));
    }

    private static BufferedImage image(String name) throws IOException {
        return ImageIO.read(Fixtures.path("measures/" + name + "-a.png").toFile());
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "plain", "narrow", "large", "wide"})
    void imagesAreMadeReadyAsTransformersDoes(String name) throws IOException {
        ClipImageProcessor processor = new ClipImageProcessor(Config.read(FOLDER.resolve("preprocessor_config.json")));
        try (var scope = TensorScope.open()) {
            assertThat(Fixtures.maxDifference(
                            processor.process(image(name)), expected().load("torchvision." + name)))
                    .isLessThan(1e-5);
            // Pillow rounds in another way: one level of 255, over a deviation of 0.26, here and there
            assertThat(Fixtures.maxDifference(
                            processor.process(image(name)), expected().load("pil." + name)))
                    .isLessThan(0.016);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "plain", "narrow", "large", "wide"})
    void imageFeaturesEqualThoseOfTransformers(String name) throws IOException {
        try (var model = load(FOLDER);
                var scope = TensorScope.open()) {
            assertThat(Fixtures.maxDifference(
                            model.projected(expected().load("torchvision." + name)),
                            expected().load("image_embeds." + name)))
                    .isLessThan(1e-4);
            assertThat(Fixtures.maxDifference(
                            model.imageFeatures(image(name)), expected().load("image_embeds." + name)))
                    .isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "narrow", "large"})
    void textFeaturesEqualThoseOfTransformers(String name) throws IOException {
        JsonNode cases = new ObjectMapper()
                .readTree(Fixtures.path("measures/cases.json").toFile())
                .get("clip");
        try (var model = load(FOLDER);
                var scope = TensorScope.open()) {
            assertThat(Fixtures.maxDifference(
                            model.textFeatures(cases.at("/" + name + "/prompt").asText()),
                            expected().load("text_embeds." + name)))
                    .isLessThan(1e-4);
        }
    }

    @Test
    void configsOfOlderVersionsAreRead(@TempDir Path folder) throws IOException {
        copy(folder);
        change(folder.resolve("config.json"), "/text_config", "min_length", "0");
        change(folder.resolve("config.json"), "/text_config", "pruned_heads", "{}");
        change(folder.resolve("config.json"), "/text_config", "eos_token_id", "993");
        change(folder.resolve("config.json"), "", "text_config_dict", "{\"hidden_size\": 32}");
        change(folder.resolve("preprocessor_config.json"), "", "size", "32");
        change(folder.resolve("preprocessor_config.json"), "", "crop_size", "32");
        try (var older = load(folder);
                var newer = load(FOLDER);
                var scope = TensorScope.open()) {
            assertThat(Fixtures.maxDifference(older.textFeatures("a cat"), newer.textFeatures("a cat")))
                    .isZero();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "config.json | /vision_config | patch_size | 7 | 'patch_size' is 7",
                "config.json | /vision_config | rotary | 1 | Unknown in",
                "config.json | /vision_config | image_size | 16 | position_embedding.weight",
                "config.json | | model_type | \"siglip\" | 'model_type' is \"siglip\"; supported: \"clip\"",
                "config.json | | projection_dim | 7 | text_projection.weight",
                "preprocessor_config.json | | do_resize | false | 'do_resize' is false",
                "preprocessor_config.json | | resample | 2 | 'resample' is 2; supported: 3",
                "preprocessor_config.json | | crop_size | 24 | do not fit together: images are brought to 24 x 24",
                "preprocessor_config.json | | crop_size | 40 | 'crop_size' is 40",
            })
    void aSettingThatIsNotSupportedIsNamed(
            String file, String object, String key, String value, String message, @TempDir Path folder)
            throws IOException {
        copy(folder);
        change(folder.resolve(file), object == null ? "" : object, key, value);
        long before = TensorScope.liveObjects();
        assertThatThrownBy(() -> load(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(folder.toString());
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void aMissingFileIsNamed(@TempDir Path folder) throws IOException {
        copy(folder);
        Files.delete(folder.resolve("preprocessor_config.json"));
        assertThatThrownBy(() -> load(folder)).hasMessageContaining("preprocessor_config.json is missing from");
    }

    @Test
    void fiftyPassesLeaveNothingBehind() throws IOException {
        BufferedImage image = image("large");
        long before = TensorScope.liveObjects();
        try (var model = load(FOLDER)) {
            long loaded = TensorScope.liveObjects();
            for (int pass = 0; pass < 50; pass++) {
                model.imageFeatures(image).close();
                model.textFeatures("a cat").close();
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    private static void copy(Path folder) throws IOException {
        try (var files = Files.list(FOLDER)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    private static void change(Path file, String object, String key, String value) throws IOException {
        ObjectMapper json = new ObjectMapper();
        JsonNode root = json.readTree(file.toFile());
        ((ObjectNode) root.at(object)).set(key, json.readTree(value));
        json.writeValue(file.toFile(), root);
    }
}
