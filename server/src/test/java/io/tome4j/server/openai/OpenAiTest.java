package io.tome4j.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.SampleImages;
import io.tome4j.server.Served;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiTest {
    private static final String GENERATIONS = "/v1/images/generations";
    private static Served served;

    @BeforeAll
    static void start() throws InterruptedException {
        served = Served.start();
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    /** The pixels of an image, whatever its file says beside them. */
    private static int[] pixels(String base64) {
        return SampleImages.rgb(SampleImages.decoded(base64));
    }

    @Test
    void bothApisMakeTheSamePixelsOfTheSameSeed() throws Exception {
        JsonNode openAi = served.posted(
                GENERATIONS,
                """
                {"prompt": "a red apple", "model": "gpt-image-1", "n": 2, "size": "72x64", "quality": "auto",
                 "background": "auto", "moderation": "low", "user": "me", "response_format": "b64_json",
                 "seed": 42, "num_inference_steps": 3, "guidance_scale": 6, "scheduler": "euler_a",
                 "negative_prompt": "blurry", "token_merging": {"ratio": 0.25, "method": "todo"}}""");
        JsonNode webUi = served.posted(
                "/sdapi/v1/txt2img",
                """
                {"prompt": "a red apple", "negative_prompt": "blurry", "seed": 42, "steps": 3, "cfg_scale": 6, "batch_size": 2,
                 "width": 72, "height": 64, "sampler_name": "Euler a", "override_settings": {"todo_ratio": 0.25}}""");
        for (int i = 0; i < 2; i++) {
            assertThat(pixels(openAi.at("/data/" + i + "/b64_json").asText()))
                    .isEqualTo(pixels(webUi.at("/images/" + i).asText()));
        }
        assertThat(openAi.get("created").asLong()).isPositive();
        assertThat(openAi.get("size").asText()).isEqualTo("72x64");
        assertThat(openAi.get("output_format").asText()).isEqualTo("png");
        assertThat(openAi.at("/tome4j/seed").asLong()).isEqualTo(42);
        assertThat(openAi.at("/tome4j/seconds_per_step").asDouble()).isPositive();
        assertThat(openAi.at("/tome4j/token_merging").asText()).contains("merge");
    }

    @Test
    void whatABodyCannotSayTheQueryMay() throws Exception {
        JsonNode answer = served.posted(
                GENERATIONS + "?seed=5&num_inference_steps=3&token_merging=false&guidance_scale=2",
                "{\"prompt\": \"x\"}");
        assertThat(answer.at("/tome4j/infotexts/0").asText())
                .contains("Seed: 5", "Steps: 3", "CFG scale: 2")
                .doesNotContain("Token merging");
        JsonNode body = served.posted(GENERATIONS + "?seed=5", "{\"prompt\": \"x\", \"seed\": 6}");
        assertThat(body.at("/tome4j/seed").asLong()).isEqualTo(6);
    }

    @Test
    void jpegIsMadeWhereItIsAskedFor() throws Exception {
        JsonNode answer = served.posted(
                GENERATIONS, "{\"prompt\": \"x\", \"output_format\": \"jpeg\", \"output_compression\": 50}");
        assertThat(answer.at("/data/0/b64_json").asText()).startsWith("/9j/");
        assertThat(answer.get("output_format").asText()).isEqualTo("jpeg");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|prompt",
                "{\"prompt\": [\"x\"]}|prompt",
                "{\"prompt\": \"x\", \"n\": 0}|n",
                "{\"prompt\": \"x\", \"n\": 100}|n",
                "{\"prompt\": \"x\", \"size\": \"100x100\"}|size",
                "{\"prompt\": \"x\", \"size\": \"big\"}|size",
                "{\"prompt\": \"x\", \"size\": \"8192x8192\"}|size",
                "{\"prompt\": \"x\", \"output_format\": \"webp\"}|output_format",
                "{\"prompt\": \"x\", \"output_compression\": 101}|output_compression",
                "{\"prompt\": \"x\", \"background\": \"transparent\"}|background",
                "{\"prompt\": \"x\", \"partial_images\": 4}|partial_images",
                "{\"prompt\": \"x\", \"stream\": true, \"n\": 2}|n",
                "{\"prompt\": \"x\", \"num_inference_steps\": 0}|num_inference_steps",
                "{\"prompt\": \"x\", \"scheduler\": \"nonsense\"}|scheduler",
                "{\"prompt\": \"x\", \"token_merging\": {\"ratio\": 2}}|token_merging.ratio",
                "{\"prompt\": \"x\", \"token_merging\": {\"mode\": \"tomesd\", \"method\": \"todo\"}}|token_merging.method"
            })
    void errorsHaveOpenAisShapeAndNameTheParameter(String body, String parameter) throws Exception {
        HttpResponse<String> answer = served.post(GENERATIONS, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        JsonNode error = Served.JSON.readTree(answer.body()).get("error");
        assertThat(error.get("type").asText()).isEqualTo("invalid_request_error");
        assertThat(error.get("param").asText()).isEqualTo(parameter);
        assertThat(error.get("message").asText()).isNotEmpty();
        assertThat(error.has("code")).isTrue();
    }

    @Test
    void anUnknownModelIsNotFoundAndTheirsMeansOurs() throws Exception {
        HttpResponse<String> answer = served.post(GENERATIONS, "{\"prompt\": \"x\", \"model\": \"nonsense\"}");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(Served.JSON.readTree(answer.body()).at("/error/code").asText())
                .isEqualTo("model_not_found");
        for (String model : new String[] {"dall-e-2", "gpt-image-1-mini", "chatgpt-image-latest", "tiny-sd1", ""}) {
            served.posted(GENERATIONS, "{\"prompt\": \"x\", \"model\": \"" + model + "\"}");
        }
    }

    @Test
    void modelsAreListed() throws Exception {
        JsonNode list = served.got("/v1/models");
        assertThat(list.get("object").asText()).isEqualTo("list");
        assertThat(list.at("/data/0/id").asText()).isEqualTo("tiny-sd1");
        assertThat(served.got("/v1/models/tiny-sd1")).isEqualTo(list.at("/data/0"));
        assertThat(served.get("/v1/models/no/such").statusCode()).isEqualTo(404);
        assertThat(served.get("/v1/nonsense").body()).contains("\"error\"").contains("\"message\"");
        assertThat(served.post("/v1/images/variations", "{}").statusCode()).isEqualTo(404);
    }

    @Test
    void aStreamEndsWithTheImage() throws Exception {
        Map<String, JsonNode> events = new LinkedHashMap<>();
        HttpResponse<InputStream> answer = served.http()
                .send(
                        served.request(GENERATIONS)
                                .POST(BodyPublishers.ofString(
                                        "{\"prompt\": \"x\", \"seed\": 9, \"stream\": true, \"partial_images\": 2,"
                                                + " \"num_inference_steps\": 4}"))
                                .build(),
                        BodyHandlers.ofInputStream());
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/event-stream");
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            for (String event : reader.lines().collect(Collectors.joining("\n")).split("\n\n", -1)) {
                String[] lines = event.strip().split("\n", -1);
                if (lines.length < 2) {
                    continue; // a comment
                }
                events.put(
                        lines[lines.length - 2].replace("event: ", ""),
                        Served.JSON.readTree(lines[lines.length - 1].replaceFirst("data: ", "")));
            }
        }
        JsonNode completed = events.get("image_generation.completed");
        assertThat(completed.get("type").asText()).isEqualTo("image_generation.completed");
        assertThat(completed.at("/usage/total_tokens").isInt()).isTrue();
        JsonNode partial = events.get("image_generation.partial_image");
        assertThat(partial.get("partial_image_index").asInt()).isEqualTo(1);
        assertThat(pixels(partial.get("b64_json").asText())).hasSize(64 * 64);
        JsonNode whole = served.posted(GENERATIONS, "{\"prompt\": \"x\", \"seed\": 9, \"num_inference_steps\": 4}");
        assertThat(pixels(completed.get("b64_json").asText()))
                .isEqualTo(pixels(whole.at("/data/0/b64_json").asText()));
    }

    @Test
    void aClientThatLeavesAStreamCancelsItsJob() throws Exception {
        HttpResponse<InputStream> answer = served.http()
                .send(
                        served.request(GENERATIONS)
                                .POST(BodyPublishers.ofString("{\"prompt\": \"x\", \"seed\": 11, \"stream\": true,"
                                        + " \"partial_images\": 0, \"num_inference_steps\": 900, \"scheduler\": \"ddim\","
                                        + " \"size\": \"256x256\"}"))
                                .build(),
                        BodyHandlers.ofInputStream());
        while (served.server().queue().running().isEmpty()) {
            Thread.sleep(5);
        }
        var job = served.server().queue().running().orElseThrow();
        answer.body().close();
        long end = System.nanoTime() + 20_000_000_000L;
        while (served.server().queue().running().filter(job::equals).isPresent() && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertThat(served.server().queue().running().filter(job::equals)).isEmpty();
        assertThat(served.log()).contains("\"outcome\":\"cancelled\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "[]", "\"x\"", "{", "{\"prompt\": \"x\"} {}", "\u0000"})
    void whatIsNoJsonObjectIsRefused(String body) throws Exception {
        HttpResponse<String> answer = served.post(GENERATIONS, body);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(Served.JSON.readTree(answer.body()).at("/error/message").asText())
                .contains("JSON");
    }

    @Test
    void whatIsNoJsonInTheQueryIsSaidOfTheQuery() throws Exception {
        HttpResponse<String> answer = served.post(GENERATIONS + "?token_merging=%7Bratio", "{\"prompt\": \"x\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(Served.JSON.readTree(answer.body()).at("/error/param").asText())
                .isEqualTo("token_merging");
    }
}
