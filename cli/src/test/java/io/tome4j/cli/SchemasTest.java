package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SchemasTest {
    static List<String> names() throws IOException {
        try (Stream<java.nio.file.Path> files = Files.list(Schemas.folder())) {
            return files.map(file -> file.getFileName().toString().replaceFirst("\\.schema\\.json$", ""))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void eachKindOfOutputHasASchema() throws IOException {
        assertThat(names())
                .containsExactly(
                        "bench",
                        "common",
                        "compare",
                        "evaluate",
                        "generate",
                        "info",
                        "models",
                        "motifs",
                        "retrieval",
                        "tune");
    }

    @ParameterizedTest
    @MethodSource("names")
    void itIsASchemaAndDescribesEachProperty(String name) throws IOException {
        JsonNode schema = Schemas.text(name);
        assertThat(Schemas.ofSchemas().validate(schema)).isEmpty();
        assertDescribed(schema);
    }

    private static void assertDescribed(JsonNode schema) {
        for (JsonNode part : schema) {
            assertDescribed(part);
        }
        if (schema.has("required") && schema.has("properties")) {
            schema.get("properties").properties().forEach(property -> assertThat(
                            property.getValue().path("description").asText())
                    .as(property.getKey())
                    .endsWith("."));
        }
    }

    @Test
    void mergingAndRequestHaveTheOptionsOfTheTables() throws IOException {
        JsonNode common = Schemas.text("common").get("$defs");
        assertThat(propertiesOf(common.get("merging_options"))).isEqualTo(names(ToMeOptions.OPTIONS));
        assertThat(propertiesOf(common.get("request"))).isEqualTo(names(Request.OPTIONS));
        assertThat(StreamSupport.stream(common.get("request").get("required").spliterator(), false)
                        .map(JsonNode::asText))
                .isEqualTo(names(Request.OPTIONS));
    }

    private static List<String> names(List<Option<?>> options) {
        return options.stream().map(Option::name).toList();
    }

    private static List<String> propertiesOf(JsonNode schema) {
        return schema.get("properties").properties().stream()
                .map(property -> property.getKey())
                .toList();
    }

    @Test
    void anOptionThatChoosesHasItsConstants() throws IOException {
        JsonNode merging = Schemas.text("common").at("/$defs/merging_options/properties");
        for (Option<?> option : ToMeOptions.OPTIONS) {
            if (option.defaultValue() instanceof Enum<?> usual) {
                assertThat(merging.get(option.name()).get("enum"))
                        .extracting(JsonNode::asText)
                        .containsExactlyInAnyOrderElementsOf(
                                Stream.of(usual.getDeclaringClass().getEnumConstants())
                                        .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                                        .toList());
            }
        }
    }

    @Test
    void whatAFileOfWeightsIsFollowsItsSchema() throws IOException {
        Path unet = Program.tinyModel().resolve("unet/diffusion_pytorch_model.safetensors");
        Schemas.assertValid(
                "info", Program.run("info", unet, "--format", "json").json());
    }

    @Test
    void whatTheSchemaDoesNotNameIsRefused() throws IOException {
        ObjectNode info = new ObjectMapper().createObjectNode();
        OptionsJson.put(info, Request.of("x"));
        info.put("file", "a.png")
                .put("prompt", "x")
                .put("index", 0)
                .put("model", "m")
                .put("attention", "naive")
                .put("version", "");
        info.set("merging", OptionsJson.of(ToMeOptions.ratio(0.5)));
        Schemas.assertValid("info", info);
        assertThat(Schemas.of("info").validate(info.deepCopy().put("steps", 20)))
                .isNotEmpty();
        assertThat(Schemas.of("info").validate(info.deepCopy().without("seed"))).isNotEmpty();
        ((ObjectNode) info.get("merging")).put("matchPer", "level");
        assertThat(Schemas.of("info").validate(info)).isNotEmpty();
    }
}
