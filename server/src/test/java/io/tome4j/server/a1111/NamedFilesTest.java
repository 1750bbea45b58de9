package io.tome4j.server.a1111;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.ControlNetFolder;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.UpscalerFolder;
import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.Served;
import io.tome4j.server.generate.Folders;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.DTypeChoice;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What requests name of the server's folders, and what else shapes an image: ControlNets, embeddings, layers, a refiner. */
class NamedFilesTest {
    private static final String TXT2IMG = "/sdapi/v1/txt2img";
    private static final PipelineOptions FP32 = PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32);

    @TempDir
    private static Path nets;

    private static Served served;
    private static byte[] lines;

    @BeforeAll
    static void start() throws Exception {
        Files.createSymbolicLink(nets.resolve("sd1"), Fixtures.path("controlnet/sd1"));
        Path weights = Fixtures.path("controlnet/sd1").resolve("diffusion_pytorch_model.safetensors");
        Files.copy(weights, nets.resolve("alone.safetensors"));
        lines = Files.readAllBytes(Fixtures.path("controlnet/lines.png"));
        served = Served.start(Served.settings()
                .folders(Folders.NONE
                        .controlNets(ControlNetFolder.of(nets))
                        .upscalers(UpscalerFolder.of(Fixtures.path("upscalers")))
                        .embeddings(EmbeddingFolder.of(Fixtures.path("embeddings")))));
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static Pixels pixels(JsonNode answer) {
        return ImageFiles.read(Base64.getDecoder().decode(answer.at("/images/0").asText()), "the answer");
    }

    private static Pixels made(String model, Request request) {
        try (var pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path(model).toString(), FP32)) {
            return Pixels.of(pipeline.generate(request).image().toBufferedImage());
        }
    }

    private static Request base(String prompt) {
        return Request.of(prompt)
                .steps(2)
                .guidanceScale(7.5)
                .size(64, 64)
                .seed(3)
                .promptSyntax(PromptSyntax.A1111)
                .merging(ToMeOptions.ratio(0.5));
    }

    /** What webuiapi sends of a unit, with some fields in place of its own. */
    private static ObjectNode unit(String fields) throws IOException {
        ObjectNode unit = (ObjectNode)
                Served.JSON.readTree(
                        """
                {"mask": null, "module": "none", "model": "sd1", "weight": 1.0, "resize_mode": "Resize and Fill",
                 "low_vram": false, "processor_res": 512, "threshold_a": 64, "threshold_b": 64, "guidance_start": 0.0,
                 "guidance_end": 1.0, "control_mode": "Balanced", "pixel_perfect": false, "hr_option": "Both",
                 "enabled": true}""");
        unit.put("image", Base64.getEncoder().encodeToString(lines));
        unit.setAll((ObjectNode) Served.JSON.readTree(fields));
        return unit;
    }

    private static String request(ObjectNode unit) {
        ObjectNode json = Served.JSON.createObjectNode();
        json.put("prompt", "x").put("seed", 3).put("width", 64).put("height", 64);
        json.putObject("alwayson_scripts")
                .putObject("ControlNet")
                .putArray("args")
                .add(unit);
        return json.toString();
    }

    @Test
    void aControlNetSteersAsItDoesFromTheLibrary() throws Exception {
        Pixels image = ImageFiles.read(lines, "lines");
        JsonNode answer = served.posted(
                TXT2IMG,
                request(
                        unit(
                                "{\"resize_mode\": \"Just Resize\", \"weight\": 0.7, \"guidance_end\": 0.5, \"model\": \"sd1 [0123abcd]\"}")));
        Control control = Control.of(Fixtures.path("controlnet/sd1").toString(), image);
        assertThat(pixels(answer))
                .isEqualTo(
                        made("tiny-sd1", base("x").controls(control.scale(0.7).between(0, 0.5))));
        String infotext = Served.JSON
                .readTree(answer.get("info").asText())
                .at("/infotexts/0")
                .asText();
        assertThat(infotext).contains("Model: sd1,").doesNotContain(nets.toString());
        assertThat(pixels(served.posted(TXT2IMG, request(unit("{\"resize_mode\": 0, \"model\": \"alone\"}")))))
                .isEqualTo(pixels(served.posted(TXT2IMG, request(unit("{\"resize_mode\": 0}")))))
                .isNotEqualTo(pixels(answer));
    }

    @Test
    void aNetworkInTheFolderEnlargesAndNoOtherFileCanBeNamed() throws Exception {
        String begin = "{\"prompt\": \"x\", \"seed\": 3, \"enable_hr\": true, \"hr_scale\": 2, \"hr_upscaler\": ";
        JsonNode answer = served.posted(TXT2IMG, begin + "\"real-2x\"}");
        Path file = Fixtures.path("upscalers/real-2x.safetensors");
        assertThat(pixels(answer))
                .isEqualTo(made(
                        "tiny-sd1",
                        base("x").hires(2).hiresStrength(0.75).hiresRatio(0).hiresUpscaler(file)));
        assertThat(served.post(TXT2IMG, begin + "\"" + file + "\"}").statusCode())
                .isEqualTo(422);
        HttpResponse<String> ours = served.post(
                "/v1/images/generations", "{\"prompt\": \"x\", \"hires\": 2, \"hires_upscaler\": \"" + file + "\"}");
        assertThat(ours.statusCode()).as(ours.body()).isEqualTo(400);
        assertThat(served.got("/sdapi/v1/upscalers"))
                .extracting(each -> each.get("name").asText())
                .contains("None", "Lanczos", "real-2x");
    }

    @Test
    void edgesAreFoundInTheSizeThatTheUnitSays() throws Exception {
        Pixels image = ImageFiles.read(lines, "lines");
        int shorter = Math.min(image.width(), image.height());
        JsonNode answer = served.posted(
                TXT2IMG,
                request(unit("{\"resize_mode\": 0, \"module\": \"canny\", \"threshold_a\": 50, \"threshold_b\": 150,"
                        + " \"processor_res\": " + shorter + "}")));
        Control control =
                Control.of(Fixtures.path("controlnet/sd1").toString(), image).canny(new Canny(50, 150));
        assertThat(pixels(answer)).isEqualTo(made("tiny-sd1", base("x").controls(control)));
        JsonNode found = served.posted(
                "/controlnet/detect",
                "{\"controlnet_module\": \"canny\", \"controlnet_threshold_a\": 50, \"controlnet_threshold_b\": 150,"
                        + " \"controlnet_processor_res\": " + shorter + ", \"controlnet_input_images\": [\""
                        + Base64.getEncoder().encodeToString(lines) + "\"]}");
        assertThat(pixels(found)).isEqualTo(new Canny(50, 150).of(image).toRgb());
        JsonNode larger = served.posted(
                "/controlnet/detect",
                "{\"controlnet_module\": \"canny\", \"controlnet_images\": [\""
                        + Base64.getEncoder().encodeToString(lines) + "\"]}");
        assertThat(Math.min(pixels(larger).width(), pixels(larger).height())).isEqualTo(512);
    }

    @Test
    void theMiddleOfAnImageOfAnotherShapeIsTakenAndTheInitialImageWhereAUnitHasNone() throws Exception {
        byte[] values = new byte[3 * 128 * 64];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (i * 7);
        }
        Pixels wide = Pixels.rgb(128, 64, values);
        ObjectNode unit = unit("{\"resize_mode\": \"Crop and Resize\"}");
        unit.put("image", io.tome4j.server.generate.ImageFormat.pngBase64(wide.toBufferedImage()));
        Control control = Control.of(
                Fixtures.path("controlnet/sd1").toString(),
                wide.crop(new io.tome4j.diffusion.pixels.Box(32, 0, 96, 64)));
        assertThat(pixels(served.posted(TXT2IMG, request(unit))))
                .isEqualTo(made("tiny-sd1", base("x").controls(control)));
        ObjectNode none = unit("{\"image\": \"\"}");
        assertThat(served.post(TXT2IMG, request(none)).body()).contains("args[0].image is missing");
        ObjectNode fromImage = (ObjectNode) Served.JSON.readTree(request(none));
        fromImage.putArray("init_images").add(Base64.getEncoder().encodeToString(lines));
        served.posted("/sdapi/v1/img2img", fromImage.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"model\": \"none such\"}|none such",
                "{\"model\": \"../../etc/passwd\"}|passwd",
                "{\"model\": \"None\"}|args[0].model",
                "{\"module\": \"depth_midas\"}|args[0].module",
                "{\"control_mode\": 2}|args[0].control_mode",
                "{\"mask\": \"AAAA\"}|args[0].mask",
                "{\"resize_mode\": \"Tile\"}|args[0].resize_mode",
                "{\"weight\": \"much\"}|args[0].weight",
                "{\"guidance_start\": 0.9, \"guidance_end\": 0.1}|guidance_start",
                "{\"module\": \"canny\", \"threshold_a\": 200, \"threshold_b\": 100}|args[0].threshold_a",
                "{\"module\": \"canny\", \"processor_res\": 100000}|args[0].processor_res"
            })
    void whatAUnitCannotDoIsNamed(String fields, String named) throws Exception {
        HttpResponse<String> answer = served.post(TXT2IMG, request(unit(fields)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
        assertThat(answer.body()).contains(named);
    }

    @Test
    void unitsThatAreOffAndOtherScriptsThatAreOffChangeNothing() throws Exception {
        String plain = "{\"prompt\": \"x\", \"seed\": 3}";
        Pixels expected = pixels(served.posted(TXT2IMG, plain));
        assertThat(pixels(served.posted(TXT2IMG, request(unit("{\"enabled\": false, \"module\": \"depth\"}")))))
                .isEqualTo(expected);
        assertThat(served.got("/controlnet/model_list").get("model_list"))
                .extracting(JsonNode::asText)
                .containsExactly("alone", "sd1");
        assertThat(served.got("/controlnet/module_list").get("module_list")).hasSize(2);
        assertThat(served.got("/sdapi/v1/scripts").at("/txt2img/0").asText()).isEqualTo("controlnet");
        try (Served without = Served.start()) {
            HttpResponse<String> refused = without.post(TXT2IMG, request(unit("{}")));
            assertThat(refused.statusCode()).isEqualTo(422);
            assertThat(refused.body()).contains("without a folder");
            String infotext =
                    "x\\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, ControlNet 0: \\\"Module: none,"
                            + " Model: some/repository, Weight: 1, Guidance Start: 0, Guidance End: 1, Image: a.png []\\\"";
            assertThat(without.post(TXT2IMG, "{\"prompt\": \"x\", \"infotext\": \"" + infotext + "\"}")
                            .statusCode())
                    .isEqualTo(422);
        }
    }

    @Test
    void adaptersThatAnInfotextNamesAreRefused() throws Exception {
        for (String adapter : List.of(
                "T2I-Adapter 0: \\\"Model: /etc/some, Weight: 1, Factor: 1, Image: a.png []\\\"",
                "IP-Adapter 0: \\\"Model: /etc/some, Weight: 1, Image: a.png []\\\"")) {
            String infotext = "x\\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, " + adapter;
            HttpResponse<String> refused =
                    served.post(TXT2IMG, "{\"prompt\": \"x\", \"infotext\": \"" + infotext + "\"}");
            assertThat(refused.statusCode()).isEqualTo(422);
            assertThat(refused.body()).contains("names a T2I-Adapter or an IP-Adapter");
        }
    }

    @Test
    void embeddingsAreListedAndStandForTheirVectors() throws Exception {
        JsonNode loaded = served.got("/sdapi/v1/embeddings").get("loaded");
        assertThat(loaded.at("/style/vectors").asInt()).isEqualTo(3);
        assertThat(loaded.at("/toy/vectors").asInt()).isEqualTo(1);
        assertThat(loaded.at("/toy/shape").asInt()).isPositive();
        String body = "{\"prompt\": \"a portrait in style\", \"seed\": 3}";
        Request request = EmbeddingFolder.of(Fixtures.path("embeddings")).resolve(base("a portrait in style"));
        assertThat(request.embeddings()).hasSize(1);
        Pixels expected = made("tiny-sd1", request);
        assertThat(pixels(served.posted(TXT2IMG, body))).isEqualTo(expected);
        try (Served without = Served.start()) {
            assertThat(without.got("/sdapi/v1/embeddings").get("loaded")).isEmpty();
            assertThat(pixels(without.posted(TXT2IMG, body))).isNotEqualTo(expected);
        }
    }

    @Test
    void layersAreLeftOutAsTheWebUiCountsThem() throws Exception {
        Pixels expected = made("tiny-sd1", base("x").clipSkip(1));
        String plain = "{\"prompt\": \"x\", \"seed\": 3}";
        JsonNode answer = served.posted(
                TXT2IMG, "{\"prompt\": \"x\", \"seed\": 3, \"override_settings\": {\"CLIP_stop_at_last_layers\": 2}}");
        assertThat(pixels(answer)).isEqualTo(expected);
        assertThat(Served.JSON
                        .readTree(answer.get("info").asText())
                        .get("clip_skip")
                        .asInt())
                .isEqualTo(2);
        assertThat(pixels(served.posted(TXT2IMG, plain))).isNotEqualTo(expected);
        assertThat(pixels(served.posted(TXT2IMG, "{\"prompt\": \"x\", \"seed\": 3, \"clip_skip\": 2}")))
                .isEqualTo(expected);
        served.posted("/sdapi/v1/options", "{\"CLIP_stop_at_last_layers\": 2}");
        assertThat(served.got("/sdapi/v1/options")
                        .get("CLIP_stop_at_last_layers")
                        .asInt())
                .isEqualTo(2);
        assertThat(pixels(served.posted(TXT2IMG, plain))).isEqualTo(expected);
        served.posted("/sdapi/v1/options", "{\"CLIP_stop_at_last_layers\": 1}");
        assertThat(served.post(TXT2IMG, "{\"prompt\": \"x\", \"clip_skip\": 99}")
                        .body())
                .contains("clip_skip is 99");
    }

    @Test
    void noiseLevelsAreSpacedAsTheFieldSaysWithOrWithoutASampler() throws Exception {
        String body = "{\"prompt\": \"x\", \"seed\": 3, \"steps\": 6, \"scheduler\": \"%s\"%s}";
        Request six = base("x").steps(6);
        assertThat(pixels(served.posted(TXT2IMG, String.format(body, "Karras", ", \"sampler_name\": \"Euler\""))))
                .isEqualTo(made("tiny-sd1", six.scheduler("euler").scheduleType(ScheduleType.KARRAS)));
        assertThat(pixels(served.posted(TXT2IMG, String.format(body, "Automatic", ""))))
                .isEqualTo(made("tiny-sd1", six));
        HttpResponse<String> unknown = served.post(TXT2IMG, String.format(body, "Turbulent", ""));
        assertThat(unknown.statusCode()).isEqualTo(422);
        assertThat(unknown.body()).contains("\"scheduler\"", "exponential");
    }

    @Test
    void theRefinerThatWasLoadedMayBeNamedAndNoOther() throws Exception {
        String refiner = Fixtures.path("tiny-sdxl-refiner").toString();
        ServedModel refined = new ServedModel(
                "xl",
                "",
                refiner,
                new ServedModel.Defaults(4, 5, 64, 64),
                () -> StableDiffusionPipeline.fromPretrained(
                        Fixtures.path("tiny-sdxl").toString(), FP32.refiner(refiner)));
        String body = "{\"prompt\": \"x\", \"seed\": 3, \"refiner_checkpoint\": \"%s\", \"refiner_switch_at\": %s}";
        try (Served xl = Served.start(Served.settings().models(List.of(refined)))) {
            JsonNode half = xl.posted(TXT2IMG, String.format(body, "tiny-sdxl-refiner", "0.5"));
            assertThat(Served.JSON
                            .readTree(half.get("info").asText())
                            .at("/infotexts/0")
                            .asText())
                    .contains("Refiner switch at: 0.5");
            assertThat(pixels(half))
                    .isNotEqualTo(
                            pixels(xl.posted(TXT2IMG, String.format(body, "tiny-sdxl-refiner [0123abcd]", "0.8"))));
            assertThat(xl.post(TXT2IMG, String.format(body, "another", "0.5")).body())
                    .contains("can only be tiny-sdxl-refiner");
            assertThat(xl.post(TXT2IMG, String.format(body, "tiny-sdxl-refiner", "7"))
                            .body())
                    .contains("refiner_switch_at");
        }
        assertThat(served.post(TXT2IMG, String.format(body, "x", "0.5")).body()).contains("without a refiner");
    }
}
