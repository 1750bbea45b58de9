package io.tome4j.server.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.tome4j.server.Recorded;
import io.tome4j.server.Served;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class OpenApiTest {
    private static Served served;
    private static JsonNode document;

    @BeforeAll
    static void start() throws Exception {
        served = Served.start();
        document = served.got("/openapi.json");
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    /** That a value is as a schema of the document says. */
    private static void assertValid(String schema, JsonNode value) {
        var whole = document.deepCopy();
        ((com.fasterxml.jackson.databind.node.ObjectNode) whole).put("$ref", "#/components/schemas/" + schema);
        JsonSchema compiled =
                JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(whole);
        assertThat(compiled.validate(value)).as(schema).isEmpty();
    }

    @Test
    void everyRouteIsDescribedAndNoOther() {
        var described = new TreeSet<String>();
        document.get("paths").properties().forEach(path -> path.getValue()
                .fieldNames()
                .forEachRemaining(
                        method -> described.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey())));
        var routes = new TreeSet<String>();
        served.server()
                .routes()
                .forEach(route -> routes.add(
                        route.method() + " " + route.path().replace('<', '{').replace('>', '}')));
        assertThat(described).isEqualTo(routes);
    }

    @ParameterizedTest
    @CsvSource({
        "/healthz, Status",
        "/readyz, Status",
        "/sdapi/v1/progress, Progress",
        "/sdapi/v1/options, Options",
        "/sdapi/v1/samplers, Samplers",
        "/sdapi/v1/schedulers, Schedulers",
        "/sdapi/v1/upscalers, Upscalers",
        "/sdapi/v1/sd-models, Models",
        "/sdapi/v1/embeddings, Embeddings",
        "/controlnet/model_list, ControlNetModels",
        "/controlnet/module_list, ControlNetModules",
        "/v1/models, ModelList",
        "/v1/models/tiny-sd1, Model",
        "/tome4j/v1/info, PageInfo"
    })
    void answersAreAsTheyAreDescribed(String path, String schema) throws Exception {
        assertValid(schema, served.got(path));
    }

    static Map<String, Recorded> recorded() {
        return Recorded.ALL;
    }

    static java.util.List<Recorded> requests() {
        return java.util.List.copyOf(Recorded.ALL.values());
    }

    @ParameterizedTest
    @MethodSource("requests")
    void requestsOfRealClientsAndTheirAnswersAreAsTheyAreDescribed(Recorded request) throws Exception {
        assertValid(request.schema(), Served.JSON.readTree(request.body()));
        JsonNode answer = served.posted(request.path(), request.body());
        assertValid(request.answerSchema(), answer);
    }

    @Test
    void errorsAreAsTheyAreDescribed() throws Exception {
        for (String body : new String[] {"{\"steps\": -1}", "{\"sampler_name\": \"none\"}", "{"}) {
            assertValid(
                    "WebUiError",
                    Served.JSON.readTree(served.post("/sdapi/v1/txt2img", body).body()));
        }
        assertValid(
                "OpenAiError",
                Served.JSON.readTree(served.post("/v1/images/generations", "{}").body()));
        assertValid(
                "Error",
                Served.JSON.readTree(
                        served.post("/tome4j/v1/generate", "{\"n\": 0}").body()));
    }

    @Test
    void metricsCountWhatWasMade() throws Exception {
        served.posted("/sdapi/v1/txt2img", "{\"prompt\": \"counted\"}");
        assertThat(served.get("/metrics").body())
                .contains(
                        "tome4j_generation_seconds_count{",
                        "method=\"tome\"",
                        "outcome=\"done\"",
                        "tome4j_step_seconds_sum{",
                        "tome4j_queue_length ",
                        "tome4j_queue_wait_seconds_count",
                        "tome4j_tokens_merged_share_sum",
                        "tome4j_memory_available_bytes",
                        "tome4j_http_requests_seconds_count{",
                        "route=\"/sdapi/v1/txt2img\"");
    }

    @Test
    void theLogHasALineForEachRequestAndJobAndNothingOfWhatTheyHold() throws Exception {
        served.posted("/sdapi/v1/txt2img?secret=in-the-query", "{\"prompt\": \"a very private prompt\"}");
        assertThat(served.log())
                .contains("\"event\":\"request\"", "\"route\":\"/sdapi/v1/txt2img\"", "\"event\":\"job\"");
        assertThat(served.log()).doesNotContain("private", "in-the-query");
        for (String line : served.log().lines().toList()) {
            assertThat(Served.JSON.readTree(line).has("time")).isTrue();
        }
    }
}
