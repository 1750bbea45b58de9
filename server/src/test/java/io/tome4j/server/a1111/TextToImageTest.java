package io.tome4j.server.a1111;

import static io.tome4j.fixtures.SampleImages.rgb;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.LoraFolder;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SampleImages;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.Served;
import io.tome4j.server.generate.Folders;
import io.tome4j.server.generate.Limits;
import io.tome4j.tensor.DTypeChoice;
import java.awt.image.BufferedImage;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextToImageTest {
    private static final String TXT2IMG = "/sdapi/v1/txt2img";
    private static Served served;

    @BeforeAll
    static void start() throws InterruptedException {
        served = Served.start();
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static BufferedImage pixels(JsonNode base64) {
        return SampleImages.decoded(base64.asText());
    }

    @Test
    void theSameSeedGivesThePixelsThatTheLibraryGives() throws Exception {
        JsonNode answer = served.posted(
                TXT2IMG,
                """
                {"prompt": "a red apple", "negative_prompt": "blurry", "seed": 42, "steps": 3, "cfg_scale": 6,
                 "width": 64, "height": 72, "sampler_name": "Euler a",
                 "override_settings": {"token_merging_ratio": 0.25}}""");
        Request request = Request.of("a red apple")
                .negativePrompt("blurry")
                .seed(42)
                .steps(3)
                .guidanceScale(6)
                .size(64, 72)
                .scheduler("euler_a")
                .merging(ToMeOptions.ratio(0.25));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(), PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32))) {
            BufferedImage expected = pipeline.generate(request).image().toBufferedImage();
            assertThat(rgb(pixels(answer.at("/images/0")))).isEqualTo(rgb(expected));
        }
        assertThat(answer.at("/images/0").asText()).doesNotStartWith("data:");
    }

    @Test
    void infoSaysAllThatClientsReadAndTheInfotextMakesTheImageAgain() throws Exception {
        JsonNode answer = served.posted(TXT2IMG, "{\"prompt\": \"x\", \"seed\": 7, \"batch_size\": 2, \"n_iter\": 1}");
        JsonNode info = Served.JSON.readTree(answer.get("info").asText());
        assertThat(info.get("all_seeds")).hasToString("[7,8]");
        assertThat(info.get("infotexts")).hasSize(2);
        assertThat(info.get("index_of_first_image").asInt()).isZero();
        assertThat(info.get("width").asInt()).isEqualTo(64);
        assertThat(info.get("sd_model_hash").asText()).isEqualTo("0123456789");
        assertThat(info.get("job_timestamp").asText()).matches("\\d{14}");
        GenerationParameters second =
                GenerationParameters.parse(info.at("/infotexts/1").asText());
        assertThat(second.request().seed()).isEqualTo(8);
        JsonNode alone = served.posted(TXT2IMG, "{\"prompt\": \"x\", \"seed\": 8}");
        assertThat(rgb(pixels(alone.at("/images/0")))).isEqualTo(rgb(pixels(answer.at("/images/1"))));
        String infotext = Served.JSON.writeValueAsString(info.at("/infotexts/1").asText());
        JsonNode again = served.posted(TXT2IMG, "{\"infotext\": " + infotext + "}");
        assertThat(rgb(pixels(again.at("/images/0")))).isEqualTo(rgb(pixels(answer.at("/images/1"))));
    }

    @Test
    void absentAndNullFieldsHaveTheModelsDefaultsAndNumbersMayBeTexts() throws Exception {
        JsonNode answer = served.posted(
                TXT2IMG,
                "{\"prompt\": \"x\", \"steps\": \"3\", \"cfg_scale\": null, \"seed\": \"-1\", \"width\": \"64.0\","
                        + " \"n_iter\": 1, \"url\": \"http://x\", \"auth\": \"user:pw\"}");
        JsonNode parameters = answer.get("parameters");
        assertThat(parameters.get("steps").asInt()).isEqualTo(3);
        assertThat(parameters.get("cfg_scale").asDouble()).isEqualTo(7.5);
        assertThat(parameters.get("width").asInt()).isEqualTo(64);
        assertThat(parameters.get("seed").asText()).isEqualTo("-1");
        assertThat(served.log()).doesNotContain("user:pw");
    }

    @ParameterizedTest
    @CsvSource({
        "Euler a, '', euler_a",
        "k_euler_a, automatic, euler_a",
        "EULER A, Automatic, euler_a",
        "euler_a, , euler_a",
        "Euler, uniform, euler",
        "k_lms, , lms",
        "PLMS, , pndm",
        "UniPC, , unipc",
        "DPM++ 2M, , dpmpp_2m_karras",
        "DPM++ 2M, Automatic, dpmpp_2m_karras",
        "DPM++ 2M, karras, dpmpp_2m_karras",
        "DPM++ 2M, Uniform, dpmpp_2m",
        "DPM++ 2M Karras, , dpmpp_2m_karras",
        "k_dpmpp_2m, Uniform, dpmpp_2m",
        "dpmpp_2m, , dpmpp_2m",
        "DPM++ 2M SDE, Automatic, dpmpp_2m_sde exponential",
        "DPM++ 2M SDE, Karras, dpmpp_2m_sde_karras",
        "dpmpp_2m_sde, , dpmpp_2m_sde",
        "DPM2, , dpm2 karras",
        "Euler, Beta, euler beta"
    })
    void samplersGoByAllTheirNamesAndHaveTheWebUisSpacing(String sampler, String spacing, String ours) {
        Request request = Samplers.sampled(Request.of("x"), sampler, spacing == null ? "" : spacing);
        String type = request.text(Request.SCHEDULE_TYPE);
        assertThat(request.scheduler() + (type.equals("auto") ? "" : " " + type))
                .isEqualTo(ours);
    }

    @Test
    void anUnknownSamplerIs404AndTheListIsSaid() throws Exception {
        HttpResponse<String> answer = served.post(TXT2IMG, "{\"prompt\": \"x\", \"sampler_name\": \"Nonsense\"}");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(Served.JSON.readTree(answer.body()).get("detail").asText())
                .startsWith("Sampler not found")
                .contains("Euler a");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"tiling\": true|tiling",
                "\"restore_faces\": 1|restore_faces",
                "\"subseed_strength\": 0.5|subseed_strength",
                "\"eta\": 0.5|eta",
                "\"styles\": [\"cinematic\"]|styles",
                "\"script_name\": \"x/y plot\"|script_name",
                "\"alwayson_scripts\": {\"ControlNet\": {\"args\": [{\"enabled\": true}]}}|alwayson_scripts.ControlNet.args[0].model",
                "\"steps\": 2.5|steps",
                "\"steps\": 0|steps",
                "\"steps\": 1000000|steps",
                "\"steps\": [3]|steps",
                "\"width\": 100|width",
                "\"width\": 8192, \"height\": 8192|width",
                "\"width\": -64|width",
                "\"cfg_scale\": \"NaN\"|cfg_scale",
                "\"cfg_scale\": \"1e999999999\"|cfg_scale",
                "\"seed\": \"x\"|seed",
                "\"batch_size\": 17|batch_size",
                "\"batch_size\": 0|batch_size",
                "\"override_settings\": {\"token_merging_ratio\": 2}|override_settings.token_merging_ratio",
                "\"override_settings\": {\"tome4j\": {\"sx\": 0}}|override_settings.tome4j.sx",
                "\"override_settings\": {\"tome4j\": {\"nonsense\": 0}}|override_settings.tome4j.nonsense",
                "\"override_settings\": {\"sd_vae\": \"other.safetensors\"}|override_settings.sd_vae",
                "\"override_settings\": {\"samples_format\": \"avif\"}|override_settings.samples_format",
                "\"override_settings\": 5|override_settings",
                "\"token_merging_ratio\": -1|token_merging_ratio"
            })
    void whatCannotBeIsRefusedByTheNameOfItsField(String field, String name) throws Exception {
        HttpResponse<String> answer = served.post(TXT2IMG, "{\"prompt\": \"x\", " + field + "}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
        JsonNode detail = Served.JSON.readTree(answer.body()).get("detail").get(0);
        assertThat(detail.get("loc")).hasToString("[\"body\",\"" + name + "\"]");
        assertThat(detail.get("msg").asText()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"eta\": 1.0, \"s_churn\": 0, \"s_tmax\": 0, \"s_noise\": 1, \"script_args\": [], \"styles\": []",
                "\"alwayson_scripts\": {\"ADetailer\": {\"args\": [false]}, \"x\": {\"args\": []}}",
                "\"enable_hr\": false, \"hr_scale\": 2, \"hr_upscaler\": \"Latent\", \"denoising_strength\": 0.7",
                "\"override_settings\": {\"CLIP_stop_at_last_layers\": 1, \"sd_vae\": \"Automatic\", \"unknown\": 5}",
                "\"clip_skip\": 1, \"restore_faces\": false, \"nonsense\": {\"deep\": [1]}",
                "\"override_settings\": {\"todo_ratio\": 0.5}",
                "\"override_settings\": {\"tome4j\": {\"ratio\": 0.5, \"mode\": \"tomesd\", \"use_rand\": false}}",
            })
    void whatChangesNothingIsPassedOver(String fields) throws Exception {
        served.posted(TXT2IMG, "{\"prompt\": \"x\", " + fields + "}");
    }

    @Test
    void howToMergeComesFromTheRequestTheOptionsOrTheServer() throws Exception {
        assertThat(infotext("")).contains("Token merging ratio: 0.5");
        assertThat(infotext(", \"token_merging_ratio\": 0")).doesNotContain("Token merging");
        assertThat(infotext(", \"override_settings\": {\"todo_ratio\": 0.75}"))
                .contains("Token merging ratio: 0.75", "Token merging method: todo");
        served.posted("/sdapi/v1/options", "{\"token_merging_ratio\": 0.3}");
        assertThat(infotext("")).contains("Token merging ratio: 0.3");
        assertThat(served.got("/sdapi/v1/options").get("token_merging_ratio").asDouble())
                .isEqualTo(0.3);
        JsonNode all = served.got("/sdapi/v1/options");
        assertThat(served.posted("/sdapi/v1/options", all.toString()).isNull()).isTrue();
        served.posted("/sdapi/v1/options", "{\"token_merging_ratio\": 0.5}");
    }

    private static String infotext(String fields) throws Exception {
        JsonNode answer = served.posted(TXT2IMG, "{\"prompt\": \"x\", \"seed\": 1" + fields + "}");
        return Served.JSON
                .readTree(answer.get("info").asText())
                .at("/infotexts/0")
                .asText();
    }

    @Test
    void anotherModelForOneRequestIsAnErrorUnlessItIsServed() throws Exception {
        String named = "{\"prompt\": \"x\", \"override_settings\": {\"sd_model_checkpoint\": \"%s\"}}";
        assertThat(served.post(TXT2IMG, named.formatted("no-such")).statusCode())
                .isEqualTo(404);
        for (String name : new String[] {"tiny-sd1", "tiny-sd1 [0123456789]", "0123456789"}) {
            served.posted(TXT2IMG, named.formatted(name));
        }
    }

    @Test
    void pngInfoReadsWhatTheServerWroteAsPngAndAsJpeg(@TempDir Path folder) throws Exception {
        for (String format : new String[] {"png", "jpg"}) {
            JsonNode answer = served.posted(
                    TXT2IMG,
                    "{\"prompt\": \"a blåhaj\", \"seed\": 3, \"override_settings\": {\"samples_format\": \"" + format
                            + "\"}}");
            String infotext = Served.JSON
                    .readTree(answer.get("info").asText())
                    .at("/infotexts/0")
                    .asText();
            String image = answer.at("/images/0").asText();
            JsonNode read = served.posted("/sdapi/v1/png-info", "{\"image\": \"data:image/png;base64," + image + "\"}");
            assertThat(read.get("info").asText()).isEqualTo(infotext);
            assertThat(read.at("/parameters/Size-1").asText()).isEqualTo("64");
            assertThat(read.at("/parameters/Prompt").asText()).isEqualTo("a blåhaj");
            Path file = Files.write(
                    folder.resolve("image." + format), Base64.getDecoder().decode(image));
            assertThat(GenerationParameters.readText(file)).isEqualTo(infotext);
        }
    }

    @Test
    void promptsNameLorasWhereTheServerHasAFolderOfThem() throws Exception {
        String tagged = "{\"prompt\": \"a red apple <lora:kohya:0.8>\", \"seed\": 3}";
        HttpResponse<String> without = served.post(TXT2IMG, tagged);
        assertThat(without.statusCode()).isEqualTo(422);
        assertThat(without.body()).contains("LoRA");
        try (Served withLoras =
                Served.start(Served.settings().folders(Folders.NONE.loras(LoraFolder.of(Fixtures.path("lora")))))) {
            assertThat(withLoras.got("/sdapi/v1/loras").findValuesAsText("name"))
                    .contains("kohya");
            int[] with = rgb(pixels(withLoras.posted(TXT2IMG, tagged).at("/images/0")));
            int[] plain = rgb(pixels(withLoras
                    .posted(TXT2IMG, "{\"prompt\": \"a red apple\", \"seed\": 3}")
                    .at("/images/0")));
            assertThat(with).isNotEqualTo(plain);
            assertThat(withLoras.post(TXT2IMG, tagged.replace("kohya", "none")).statusCode())
                    .isEqualTo(422);
        }
    }

    @Test
    void promptsAreReadAsTheWebUiReadsThem() throws Exception {
        int[] plain = rgb(pixels(served.posted(TXT2IMG, "{\"prompt\": \"a red apple\", \"seed\": 3}")
                .at("/images/0")));
        int[] weighted = rgb(pixels(served.posted(TXT2IMG, "{\"prompt\": \"a (red:1.5) apple\", \"seed\": 3}")
                .at("/images/0")));
        assertThat(weighted).isNotEqualTo(plain);
    }

    @Test
    void whatIsTooLargeIsMadeSmallerWhereTheServerIsToldToAndSaysSo() throws Exception {
        try (Served scaling = Served.start(Served.settings().limits(new Limits(64 * 64, true, 150, 16, 2000)))) {
            JsonNode answer = scaling.posted(TXT2IMG, "{\"prompt\": \"x\", \"width\": 1024, \"height\": 1024}");
            assertThat(pixels(answer.at("/images/0")).getWidth()).isEqualTo(64);
            JsonNode info = Served.JSON.readTree(answer.get("info").asText());
            assertThat(info.at("/extra_generation_params/Scaled down from").asText())
                    .isEqualTo("1024x1024");
            assertThat(info.get("width").asInt()).isEqualTo(64);
        }
    }

    @Test
    void imagesAreKeptOnlyWhereTheServerHasAFolderForThem(@TempDir Path folder) throws Exception {
        served.posted(TXT2IMG, "{\"prompt\": \"x\", \"save_images\": true}");
        try (Served saving = Served.start(Served.settings().images(folder))) {
            JsonNode answer =
                    saving.posted(TXT2IMG, "{\"prompt\": \"x\", \"save_images\": true, \"send_images\": false}");
            assertThat(answer.get("images")).isEmpty();
        }
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(1).allMatch(file -> file.toString().endsWith(".png"));
        }
    }

    @Test
    void imagesThatSeveralWantAreKeptOnceIfAnyWantsThat(@TempDir Path folder) throws Exception {
        try (Served saving = Served.start(Served.settings().images(folder))) {
            List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
            for (boolean save : List.of(false, true, true)) {
                String body = "{\"prompt\": \"x\", \"seed\": 3, \"steps\": 980, \"sampler_name\": \"DDIM\","
                        + " \"save_images\": " + save + "}";
                asked.add(saving.http()
                        .sendAsync(
                                saving.request(TXT2IMG)
                                        .POST(BodyPublishers.ofString(body))
                                        .build(),
                                BodyHandlers.ofString()));
                while (saving.server().queue().running().isEmpty()) {
                    Thread.sleep(2);
                }
            }
            while (!saving.log().matches("(?s).*joined.*joined.*")) {
                Thread.sleep(2);
            }
            saving.posted("/sdapi/v1/interrupt", "{}");
            for (CompletableFuture<HttpResponse<String>> each : asked) {
                saving.ok(each.get());
            }
        }
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void noCountIsBelowOne() throws Exception {
        HttpResponse<String> answer = served.post(TXT2IMG, "{\"prompt\": \"x\", \"batch_size\": -1, \"n_iter\": -2}");
        assertThat(answer.statusCode()).isEqualTo(422);
        assertThat(answer.body()).contains("batch_size is -1");
    }
}
