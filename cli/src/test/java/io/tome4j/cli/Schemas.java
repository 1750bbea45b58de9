package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The schemas that document what the commands print, read from their files. */
final class Schemas {
    private static final JsonSchemaFactory FACTORY = JsonSchemaFactory.getInstance(VersionFlag.V202012);
    private static final Map<String, JsonSchema> READ = new ConcurrentHashMap<>();

    private Schemas() {}

    static Path folder() {
        return Program.tinyModel().resolve("../../../docs/schema").normalize();
    }

    static JsonNode text(String name) throws IOException {
        return new ObjectMapper().readTree(file(name).toFile());
    }

    private static Path file(String name) {
        return folder().resolve(name + ".schema.json");
    }

    static JsonSchema of(String name) {
        return READ.computeIfAbsent(
                name,
                schema ->
                        FACTORY.getSchema(SchemaLocation.of(file(schema).toUri().toString())));
    }

    /** Draft 2020-12's schema of schemas, which the validator has with it. */
    static JsonSchema ofSchemas() {
        return FACTORY.getSchema(SchemaLocation.of(VersionFlag.V202012.getId()));
    }

    static void assertValid(String name, JsonNode json) {
        assertThat(of(name).validate(json.toString(), InputFormat.JSON, context -> context.getExecutionConfig()
                        .setFormatAssertionsEnabled(true)))
                .as(json.toPrettyString())
                .isEmpty();
    }
}
