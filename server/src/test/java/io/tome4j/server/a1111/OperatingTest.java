package io.tome4j.server.a1111;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.server.Served;
import io.tome4j.server.ServerSettings;
import io.tome4j.server.generate.Limits;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.DTypeChoice;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OperatingTest {
    private static final String OPTIONS = "/sdapi/v1/options";
    private static Served served;

    @BeforeAll
    static void start() throws InterruptedException {
        served = Served.start();
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static CompletableFuture<HttpResponse<String>> begin(int seed, int steps) {
        String body =
                "{\"prompt\": \"x\", \"sampler_name\": \"DDIM\", \"seed\": " + seed + ", \"steps\": " + steps + "}";
        return served.http()
                .sendAsync(
                        served.request("/sdapi/v1/txt2img")
                                .POST(BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString());
    }

    private static JsonNode progress() throws Exception {
        return served.got("/sdapi/v1/progress?skip_current_image=false");
    }

    private static void awaitStep() throws Exception {
        while (progress().at("/state/sampling_step").asInt() == 0) {
            Thread.sleep(5);
        }
    }

    @Test
    void progressSaysHowFarItIsAndIsExactlyIdleAfterwards() throws Exception {
        CompletableFuture<HttpResponse<String>> job = begin(1, 980);
        awaitStep();
        JsonNode busy = progress();
        assertThat(busy.get("progress").asDouble()).isBetween(0.0, 1.0);
        assertThat(busy.get("eta_relative").asDouble()).isPositive();
        assertThat(busy.at("/state/job_count").asInt()).isEqualTo(1);
        assertThat(busy.at("/state/sampling_steps").asInt()).isEqualTo(980);
        while (progress().get("current_image").isNull()) {
            Thread.sleep(20);
        }
        assertThat(served.posted("/sdapi/v1/interrupt", "{}")).isEmpty();
        JsonNode answer = served.ok(job.get());
        assertThat(answer.get("images")).hasSize(1);
        JsonNode idle = progress();
        assertThat(idle.get("progress").asDouble()).isZero();
        assertThat(idle.at("/state/job_count").asInt()).isZero();
        assertThat(idle.has("current_image")).isTrue();
    }

    @Test
    void previewsAreOfFullSizeWhereThereIsAVaeForThem() throws Exception {
        PipelineOptions options =
                PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32).previewVae(Fixtures.path("tiny-taesd"));
        ServedModel model = new ServedModel(
                "tiny-sd1",
                "",
                "",
                new ServedModel.Defaults(2, 7.5, Served.SIDE, Served.SIDE),
                () -> StableDiffusionPipeline.fromPretrained(
                        Fixtures.path("tiny-sd1").toString(), options));
        try (Served other = Served.start(ServerSettings.of(Served.settings().http(), List.of(model))
                .limits(new Limits(512 * 512, false, 2000, 16, 2000)))) {
            var job = other.http()
                    .sendAsync(
                            other.request("/sdapi/v1/txt2img")
                                    .POST(BodyPublishers.ofString(
                                            "{\"prompt\": \"x\", \"sampler_name\": \"DDIM\", \"steps\": 980}"))
                                    .build(),
                            BodyHandlers.ofString());
            JsonNode image = other.got("/sdapi/v1/progress").get("current_image");
            while (image.isNull()) {
                Thread.sleep(20);
                image = other.got("/sdapi/v1/progress").get("current_image");
            }
            other.posted("/sdapi/v1/interrupt", "{}");
            assertThat(ImageIO.read(new ByteArrayInputStream(image.binaryValue()))
                            .getWidth())
                    .isEqualTo(Served.SIDE);
            other.ok(job.get());
        }
    }

    @Test
    void whoComesWhenTheQueueIsFullGets429AndIsToldWhenToComeAgain() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> jobs = new ArrayList<>();
        jobs.add(begin(100, 900));
        awaitStep();
        for (int i = 1; i <= 8; i++) {
            jobs.add(begin(100 + i, 1));
        }
        while (served.server().queue().length() < 8) {
            Thread.sleep(2);
        }
        HttpResponse<String> refused = begin(200, 1).get();
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(Integer.parseInt(refused.headers().firstValue("Retry-After").orElseThrow()))
                .isPositive();
        assertThat(Served.JSON.readTree(refused.body()).get("detail").asText()).contains("queue is full");
        served.posted("/sdapi/v1/interrupt", "");
        for (CompletableFuture<HttpResponse<String>> job : jobs) {
            served.ok(job.get());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "samplers",
                "schedulers",
                "upscalers",
                "latent-upscale-modes",
                "sd-models",
                "sd-vae",
                "loras",
                "script-info",
                "extensions",
                "hypernetworks",
                "face-restorers",
                "realesrgan-models",
                "prompt-styles"
            })
    void listsAreListsOfObjects(String list) throws Exception {
        JsonNode answer = served.got("/sdapi/v1/" + list);
        assertThat(answer.isArray()).isTrue();
        assertThat(answer).allMatch(JsonNode::isObject);
    }

    @Test
    void listsHoldWhatClientsLookFor() throws Exception {
        assertThat(served.got("/sdapi/v1/samplers").findValuesAsText("name")).contains("Euler a", "DPM++ 2M Karras");
        assertThat(served.got("/sdapi/v1/schedulers").findValuesAsText("name")).contains("automatic", "karras");
        assertThat(served.got("/sdapi/v1/upscalers").at("/0/name").asText()).isEqualTo("None");
        String title = served.got("/sdapi/v1/sd-models").at("/0/title").asText();
        assertThat(served.got("/sdapi/v1/options").get("sd_model_checkpoint").asText())
                .isEqualTo(title);
        assertThat(served.got("/sdapi/v1/options").properties())
                .noneMatch(option -> option.getKey().startsWith("forge_"));
        assertThat(served.got("/sdapi/v1/memory").at("/ram/total").asLong()).isPositive();
        assertThat(served.got("/sdapi/v1/embeddings").has("loaded")).isTrue();
        assertThat(served.got("/sdapi/v1/scripts").get("txt2img").isArray()).isTrue();
        assertThat(served.got("/sdapi/v1/cmd-flags").isObject()).isTrue();
    }

    @Test
    void whatAnswersNothingAnswersTheTextNull() throws Exception {
        for (String path : List.of("skip", "refresh-checkpoints", "refresh-vae", "refresh-loras")) {
            assertThat(served.post("/sdapi/v1/" + path, "").body()).isEqualTo("null");
        }
        assertThat(served.post("/sdapi/v1/options", "{}").body()).isEqualTo("null");
        assertThat(served.post("/sdapi/v1/unload-checkpoint", "").body()).isEqualTo("{}");
        assertThat(served.post("/sdapi/v1/reload-checkpoint", "").body()).isEqualTo("{}");
    }

    @Test
    void whatIsNotDoneHereIsSaid() throws Exception {
        for (String path : List.of("extra-single-image", "extra-batch-images", "interrogate")) {
            HttpResponse<String> answer = served.post("/sdapi/v1/" + path, "{}");
            assertThat(answer.statusCode()).isEqualTo(501);
            assertThat(Served.JSON.readTree(answer.body()).get("detail").asText())
                    .isNotEmpty();
        }
    }

    /** A model whose loading can be waited for, and held up. */
    private record HeldUp(CountDownLatch loading, CountDownLatch goOn, ServedModel model) {
        static HeldUp of(ServedModel model) {
            CountDownLatch loading = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            return new HeldUp(loading, goOn, new ServedModel(model.name(), "", "", model.defaults(), () -> {
                loading.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return model.loader().get();
            }));
        }
    }

    @Test
    void whatIsChangedWhileAModelLoadsStaysChanged() throws Exception {
        HeldUp second = HeldUp.of(Served.tiny("tiny-sd2"));
        try (Served two = Served.start(Served.settings().models(List.of(Served.tiny("tiny-sd1"), second.model())))) {
            var switching = two.http()
                    .sendAsync(
                            two.request(OPTIONS)
                                    .POST(BodyPublishers.ofString("{\"sd_model_checkpoint\": \"tiny-sd2\"}"))
                                    .build(),
                            BodyHandlers.ofString());
            second.loading().await();
            two.posted(OPTIONS, "{\"token_merging_ratio\": 0.3}");
            second.goOn().countDown();
            two.ok(switching.get());
            JsonNode options = two.got(OPTIONS);
            assertThat(options.get("sd_model_checkpoint").asText()).isEqualTo("tiny-sd2");
            assertThat(options.get("token_merging_ratio").asDouble()).isEqualTo(0.3);
        } finally {
            second.goOn().countDown();
        }
    }

    @Test
    void optionsThatDoNotGoTogetherAreTheClientsFault() throws Exception {
        try (Served own = Served.start()) {
            own.posted(OPTIONS, "{\"tome4j\": {\"merge_mlp\": true}}");
            HttpResponse<String> answer = own.post(OPTIONS, "{\"todo_ratio\": 0.4}");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
            assertThat(own.got(OPTIONS).at("/tome4j/method").asText()).isEqualTo("tome");
        }
    }

    @Test
    void optionsOfARequestThatIsRefusedAreNotKept() throws Exception {
        HttpResponse<String> answer = served.post(
                "/sdapi/v1/txt2img",
                "{\"prompt\": \"x\", \"steps\": 100000, \"override_settings\": {\"token_merging_ratio\": 0.7},"
                        + " \"override_settings_restore_afterwards\": false}");
        assertThat(answer.statusCode()).isEqualTo(422);
        assertThat(served.got(OPTIONS).get("token_merging_ratio").asDouble()).isEqualTo(0.5);
    }
}
