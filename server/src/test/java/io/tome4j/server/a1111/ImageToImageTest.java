package io.tome4j.server.a1111;

import static io.tome4j.fixtures.SampleImages.base64;
import static io.tome4j.fixtures.SampleImages.png;
import static io.tome4j.fixtures.SampleImages.rgb;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.Start;
import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SampleImages;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.Served;
import io.tome4j.tensor.DTypeChoice;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What begins with an image, or is gone over a second time, by either API. */
class ImageToImageTest {
    private static final int SIDE = 64;
    private static Served served;
    private static BufferedImage initial;

    @BeforeAll
    static void start() throws InterruptedException {
        served = Served.start();
        initial = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < SIDE * SIDE; i++) {
            initial.setRGB(i % SIDE, i / SIDE, (i % SIDE) * 4 << 16 | (i / SIDE) * 4 << 8 | 90);
        }
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static BufferedImage image(JsonNode base64) {
        return SampleImages.decoded(base64.asText());
    }

    /** Grey, with a mask in grey levels: Java's own conversions would change both. */
    @Test
    void aGreyImageIsTheSameByAllWaysAsFromAFile() throws Exception {
        BufferedImage grey = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        BufferedImage mask = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < SIDE * SIDE; i++) {
            grey.getRaster().setSample(i % SIDE, i / SIDE, 0, (i % SIDE) * 4);
            mask.getRaster().setSample(i % SIDE, i / SIDE, 0, i / SIDE < SIDE / 2 ? 110 : 255);
        }
        Request request = Request.of("x")
                .seed(4)
                .steps(5)
                .size(SIDE, SIDE)
                .merging(ToMeOptions.ratio(0.5))
                .start(Start.from(SourceImage.of(ImageFiles.read(png(grey), "grey")), 0.8)
                        .repainting(SourceImage.of(ImageFiles.read(png(mask), "mask"))));
        int[] expected;
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(), PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32))) {
            expected = rgb(pipeline.generate(request).image().toBufferedImage());
        }
        String images = "\"prompt\": \"x\", \"seed\": 4, \"mask_blur\": 0, ";
        JsonNode webUi = served.posted(
                "/sdapi/v1/img2img",
                "{" + images + "\"steps\": 5, \"denoising_strength\": 0.8, \"inpaint_full_res\": false,"
                        + " \"mask_round\": false, \"init_images\": [\"" + base64(grey) + "\"], \"mask\": \""
                        + base64(mask)
                        + "\"}");
        assertThat(rgb(image(webUi.at("/images/0")))).isEqualTo(expected);
        JsonNode edit = served.posted(
                "/v1/images/edits",
                "{" + images
                        + "\"num_inference_steps\": 5, \"strength\": 0.8, \"images\": [{\"image_url\": \"data:image/png;base64,"
                        + base64(grey) + "\"}], \"mask\": {\"image_url\": \"data:image/png;base64," + base64(mask)
                        + "\"}}");
        assertThat(rgb(image(edit.at("/data/0/b64_json")))).isEqualTo(expected);
        String events = served.post(
                        "/tome4j/v1/generate",
                        "{" + images + "\"num_inference_steps\": 5, \"strength\": 0.8, \"image\": \"" + base64(grey)
                                + "\", \"mask\": \"" + base64(mask) + "\"}")
                .body();
        String done = events.substring(events.indexOf("event: done\ndata: ") + 18)
                .lines()
                .findFirst()
                .orElseThrow();
        assertThat(rgb(image(Served.JSON.readTree(done).at("/images/0/png")))).isEqualTo(expected);
    }

    @Test
    void whatIsTransparentBeginsAsWhiteInTheWebUisApi() throws Exception {
        BufferedImage clear = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_ARGB);
        BufferedImage white = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = white.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, SIDE, SIDE);
        graphics.dispose();
        String body = "{\"prompt\": \"x\", \"seed\": 4, \"init_images\": [\"%s\"]}";
        assertThat(rgb(image(served.posted("/sdapi/v1/img2img", String.format(body, base64(clear)))
                        .at("/images/0"))))
                .isEqualTo(rgb(image(served.posted("/sdapi/v1/img2img", String.format(body, base64(white)))
                        .at("/images/0"))));
    }

    /** White on its right half; with transparency there instead, and opaque elsewhere. */
    private static BufferedImage rightHalf(boolean transparent) {
        BufferedImage mask =
                new BufferedImage(SIDE, SIDE, transparent ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = mask.createGraphics();
        if (transparent) {
            graphics.setColor(Color.BLACK);
            graphics.fillRect(0, 0, SIDE / 2, SIDE);
        } else {
            graphics.setColor(Color.WHITE);
            graphics.fillRect(SIDE / 2, 0, SIDE / 2, SIDE);
        }
        graphics.dispose();
        return mask;
    }

    @Test
    void anImageIsBegunWithAsTheLibraryDoes() throws Exception {
        JsonNode answer = served.posted(
                "/sdapi/v1/img2img",
                "{\"prompt\": \"x\", \"seed\": 4, \"steps\": 5, \"denoising_strength\": 0.6, \"init_images\":"
                        + " [\"data:image/png;base64," + base64(initial) + "\"]}");
        Request request = Request.of("x")
                .seed(4)
                .steps(5)
                .size(SIDE, SIDE)
                .merging(ToMeOptions.ratio(0.5))
                .start(Start.from(SourceImage.of(initial), 0.6));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(), PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32))) {
            assertThat(rgb(image(answer.at("/images/0"))))
                    .isEqualTo(rgb(pipeline.generate(request).image().toBufferedImage()));
        }
        assertThat(answer.at("/parameters/init_images").isNull()).isTrue();
        JsonNode edit = served.posted(
                "/v1/images/edits",
                "{\"prompt\": \"x\", \"seed\": 4, \"num_inference_steps\": 5, \"strength\": 0.6, \"images\": [{\"image_url\":"
                        + " \"data:image/png;base64," + base64(initial) + "\"}]}");
        assertThat(rgb(image(edit.at("/data/0/b64_json")))).isEqualTo(rgb(image(answer.at("/images/0"))));
    }

    @Test
    void aMaskIsWhiteThereAndTransparentHere() throws Exception {
        JsonNode webUi = served.posted(
                "/sdapi/v1/img2img",
                "{\"prompt\": \"x\", \"seed\": 4, \"denoising_strength\": 1, \"mask_blur\": 0, \"inpaint_full_res\": false,"
                        + " \"init_images\": [\"" + base64(initial) + "\"], \"mask\": \"" + base64(rightHalf(false))
                        + "\"}");
        assertOnlyTheRightHalfIsNew(image(webUi.at("/images/0")));
        JsonNode inverted = served.posted(
                "/sdapi/v1/img2img",
                "{\"prompt\": \"x\", \"seed\": 4, \"denoising_strength\": 1, \"mask_blur\": 0, \"inpaint_full_res\": false,"
                        + " \"inpainting_mask_invert\": 1, \"init_images\": [\"" + base64(initial) + "\"], \"mask\": \""
                        + base64(rightHalf(false)) + "\"}");
        assertThat(image(inverted.at("/images/0")).getRGB(60, 5)).isEqualTo(initial.getRGB(60, 5));
        HttpResponse<String> openAi = edit("image", png(initial), png(rightHalf(true)));
        assertOnlyTheRightHalfIsNew(image(served.ok(openAi).at("/data/0/b64_json")));
    }

    private static void assertOnlyTheRightHalfIsNew(BufferedImage image) {
        int changed = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            boolean same = image.getRGB(i % SIDE, i / SIDE) == initial.getRGB(i % SIDE, i / SIDE);
            if (i % SIDE < SIDE / 2 - 8) {
                assertThat(same).as("the pixel " + i % SIDE + ", " + i / SIDE).isTrue();
            } else if (!same) {
                changed++;
            }
        }
        assertThat(changed).isGreaterThan(SIDE * SIDE / 4);
    }

    /** An edit as a form. */
    private static HttpResponse<String> edit(String field, byte[] image, byte[] mask) throws Exception {
        ByteArrayOutputStream form = new ByteArrayOutputStream();
        part(form, field, "a.png", image);
        if (mask.length > 0) {
            part(form, "mask", "mask.png", mask);
        }
        part(form, "prompt", "", "x".getBytes(StandardCharsets.UTF_8));
        part(form, "seed", "", "4".getBytes(StandardCharsets.UTF_8));
        part(form, "model", "", "gpt-image-1".getBytes(StandardCharsets.UTF_8));
        form.writeBytes("--frontier--\r\n".getBytes(StandardCharsets.UTF_8));
        return served.send(served.request("/v1/images/edits")
                .header("Content-Type", "multipart/form-data; boundary=frontier")
                .POST(BodyPublishers.ofByteArray(form.toByteArray())));
    }

    private static void part(ByteArrayOutputStream form, String name, String file, byte[] content) {
        String head = "--frontier\r\nContent-Disposition: form-data; name=\"" + name + "\""
                + (file.isEmpty() ? "" : "; filename=\"" + file + "\"\r\nContent-Type: image/png") + "\r\n\r\n";
        form.writeBytes(head.getBytes(StandardCharsets.UTF_8));
        form.writeBytes(content);
        form.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aFormsImageMayBeOneOfAListAndIsRefusedIfItIsNone() throws Exception {
        served.ok(edit("image[]", png(initial), new byte[0]));
        HttpResponse<String> none = edit("picture", png(initial), new byte[0]);
        assertThat(none.statusCode()).isEqualTo(400);
        assertThat(Served.JSON.readTree(none.body()).at("/error/param").asText())
                .isEqualTo("image");
        assertThat(edit("image", new byte[] {1, 2, 3}, new byte[0]).statusCode())
                .isEqualTo(400);
    }

    @Test
    void optionsOfMergingAreFieldsOfAFormAsClientsWriteThem() throws Exception {
        String[] made = new String[3];
        for (int i = 0; i < made.length; i++) {
            ByteArrayOutputStream form = new ByteArrayOutputStream();
            part(form, "image", "a.png", png(initial));
            part(form, "prompt", "", "x".getBytes(StandardCharsets.UTF_8));
            part(form, "seed", "", "4".getBytes(StandardCharsets.UTF_8));
            String[] merging = {"token_merging[ratio]", "token_merging", "token_merging"};
            String[] value = {"0.25", "{\"ratio\": 0.25}", "0.75"};
            part(form, merging[i], "", value[i].getBytes(StandardCharsets.UTF_8));
            form.writeBytes("--frontier--\r\n".getBytes(StandardCharsets.UTF_8));
            JsonNode answer = served.ok(served.send(served.request("/v1/images/edits")
                    .header("Content-Type", "multipart/form-data; boundary=frontier")
                    .POST(BodyPublishers.ofByteArray(form.toByteArray()))));
            made[i] = answer.at("/tome4j/infotexts/0").asText();
        }
        assertThat(made[0]).contains("Token merging ratio: 0.25");
        assertThat(made[1]).isEqualTo(made[0]);
        assertThat(made[2]).contains("Token merging ratio: 0.75");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"prompt\": \"x\"}|404",
                "{\"prompt\": \"x\", \"init_images\": []}|404",
                "{\"prompt\": \"x\", \"init_images\": [\"AAAA\"]}|400",
                "{\"prompt\": \"x\", \"init_images\": [\"http://localhost/x.png\"]}|400",
                "{\"prompt\": \"x\", \"init_images\": [\"IMAGE\"], \"resize_mode\": 2}|422",
                "{\"prompt\": \"x\", \"init_images\": [\"IMAGE\"], \"inpainting_fill\": 2}|422",
                "{\"prompt\": \"x\", \"init_images\": [\"IMAGE\"], \"denoising_strength\": 1.5}|422",
                "{\"prompt\": \"x\", \"init_images\": [\"IMAGE\", \"IMAGE\"]}|422"
            })
    void whatCannotBeBegunWithIsRefused(String body, int status) throws Exception {
        HttpResponse<String> answer = served.post("/sdapi/v1/img2img", body.replace("IMAGE", base64(initial)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    }

    @Test
    void theSecondPassMakesTheImageLarger() throws Exception {
        JsonNode answer = served.posted(
                "/sdapi/v1/txt2img",
                "{\"prompt\": \"x\", \"enable_hr\": true, \"hr_scale\": 1.5, \"hr_upscaler\": \"Latent\","
                        + " \"hr_second_pass_steps\": 2, \"denoising_strength\": 0.7, \"hr_resize_x\": 0}");
        assertThat(image(answer.at("/images/0")).getWidth()).isEqualTo(96);
        for (String field : new String[] {
            "\"hr_scale\": 50", "\"hr_resize_x\": 128", "\"hr_prompt\": \"y\"", "\"hr_upscaler\": \"ESRGAN\""
        }) {
            HttpResponse<String> refused =
                    served.post("/sdapi/v1/txt2img", "{\"prompt\": \"x\", \"enable_hr\": true, " + field + "}");
            assertThat(refused.statusCode()).as(field).isEqualTo(422);
        }
        assertThat(served.post("/v1/images/generations", "{\"prompt\": \"x\", \"hires\": 50}")
                        .statusCode())
                .isEqualTo(400);
    }
}
