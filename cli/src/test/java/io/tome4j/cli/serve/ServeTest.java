package io.tome4j.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.cli.Program;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeTest {
    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    /** A server in a process of its own, and where it listens. */
    private record Server(Process process, String address) implements AutoCloseable {
        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private Server serve(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.tome4j.cli.Tome",
                "serve",
                "--model",
                Program.tinyModel().toString(),
                "--dtype",
                "fp32",
                "--port",
                "0"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .redirectError(folder.resolve("err").toFile())
                .start();
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        String line = out.readLine();
        assertThat(line).as(Files.readString(folder.resolve("err"))).startsWith("Listening on http://127.0.0.1:");
        return new Server(process, line.substring("Listening on ".length()));
    }

    private CompletableFuture<HttpResponse<String>> post(Server server, String body) {
        return post(server, "/sdapi/v1/txt2img", body);
    }

    private CompletableFuture<HttpResponse<String>> post(Server server, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.address() + path))
                .POST(BodyPublishers.ofString(body))
                .build();
        return http.sendAsync(request, BodyHandlers.ofString());
    }

    private static int[] pixels(BufferedImage image) {
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }

    private static JsonNode ok(HttpResponse<String> answer) throws IOException {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return new ObjectMapper().readTree(answer.body());
    }

    @Test
    void theSameSeedGivesThePixelsOfTheCommandLineAndEndingItFinishesWhatIsBegun() throws Exception {
        Path file = folder.resolve("cli.png");
        Program.run(
                        "generate",
                        "a red apple",
                        "--model",
                        Program.tinyModel(),
                        "--dtype",
                        "fp32",
                        "--seed",
                        "42",
                        "--steps",
                        "3",
                        "--guidance",
                        "6",
                        "--width",
                        "64",
                        "--height",
                        "72",
                        "--out",
                        file)
                .status();
        try (Server server = serve("--grace", "60s")) {
            JsonNode answer = ok(post(
                            server,
                            "{\"prompt\": \"a red apple\", \"seed\": 42, \"steps\": 3, \"cfg_scale\": 6, \"width\": 64,"
                                    + " \"height\": 72}")
                    .get());
            byte[] png = Base64.getDecoder().decode(answer.at("/images/0").asText());
            assertThat(pixels(ImageIO.read(new ByteArrayInputStream(png))))
                    .isEqualTo(pixels(ImageIO.read(file.toFile())));
            CompletableFuture<HttpResponse<String>> begun = post(
                    server,
                    "{\"prompt\": \"x\", \"steps\": 100, \"sampler_name\": \"DDIM\", \"width\": 64, \"height\": 64}");
            Thread.sleep(300);
            server.process().destroy(); // SIGTERM
            assertThat(ok(begun.get()).get("images")).hasSize(1);
            assertThat(server.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(server.process().exitValue()).isEqualTo(143);
        }
    }

    /** A part of an image painted anew: by the command line, both APIs and what the page asks for. */
    @Test
    void theSameImageAndMaskGiveTheSamePixelsByAllWays() throws Exception {
        Path image = drawn("image.png", false);
        Path mask = drawn("mask.png", true);
        Path file = folder.resolve("cli.png");
        Program.run(
                        "generate",
                        "a red apple",
                        "--model",
                        Program.tinyModel(),
                        "--dtype",
                        "fp32",
                        "--seed",
                        "42",
                        "--steps",
                        "4",
                        "--guidance",
                        "6",
                        "--init-image",
                        image,
                        "--mask",
                        mask,
                        "--strength",
                        "0.75",
                        "--out",
                        file)
                .status();
        int[] expected = pixels(ImageIO.read(file.toFile()));
        String images = "\"prompt\": \"a red apple\", \"seed\": 42, ";
        String ours = images + "\"num_inference_steps\": 4, \"guidance_scale\": 6, \"strength\": 0.75, ";
        try (Server server = serve()) {
            JsonNode webUi = ok(post(
                            server,
                            "/sdapi/v1/img2img",
                            "{" + images + "\"steps\": 4, \"cfg_scale\": 6, \"denoising_strength\": 0.75,"
                                    + " \"mask_blur\": 0, \"inpaint_full_res\": 0, \"init_images\": [\"" + base64(image)
                                    + "\"], \"mask\": \"" + base64(mask) + "\"}")
                    .get());
            assertThat(decoded(webUi.at("/images/0"))).isEqualTo(expected);
            String address = "{\"image_url\": \"data:image/png;base64,%s\"}";
            JsonNode openAi = ok(post(
                            server,
                            "/v1/images/edits",
                            "{" + ours + "\"images\": [" + String.format(address, base64(image)) + "], \"mask\": "
                                    + String.format(address, base64(mask)) + "}")
                    .get());
            assertThat(decoded(openAi.at("/data/0/b64_json"))).isEqualTo(expected);
            String events = post(
                            server,
                            "/tome4j/v1/generate",
                            "{" + ours + "\"image\": \"" + base64(image) + "\", \"mask\": \"" + base64(mask) + "\"}")
                    .get()
                    .body();
            String done = events.substring(events.indexOf("event: done\ndata: ") + 18)
                    .lines()
                    .findFirst()
                    .orElseThrow();
            assertThat(decoded(new ObjectMapper().readTree(done).at("/images/0/png")))
                    .isEqualTo(expected);
        }
    }

    @Test
    void aLoraGivenAtTheStartIsInAllImagesAndAddedOnce() throws Exception {
        Path lora = Program.tinyModel().resolveSibling("lora").resolve("kohya.safetensors");
        Path file = folder.resolve("cli.png");
        Program.run(("generate x --model " + Program.tinyModel() + " --lora " + lora
                                + ":0.7 --dtype fp32 --seed 3 --steps 2 --guidance 6 --width 64 --height 64 --out "
                                + file)
                        .split(" "))
                .status();
        int[] expected = pixels(ImageIO.read(file.toFile()));
        String size = "\"width\": 64, \"height\": 64";
        try (Server server = serve("--lora", lora + ":0.7")) {
            JsonNode first =
                    ok(post(server, "{\"prompt\": \"x\", \"seed\": 3, \"steps\": 2, \"cfg_scale\": 6, " + size + "}")
                            .get());
            assertThat(decoded(first.at("/images/0"))).isEqualTo(expected);
            String infotext = new ObjectMapper()
                    .readTree(first.get("info").asText())
                    .at("/infotexts/0")
                    .asText();
            assertThat(infotext).startsWith("x <lora:kohya:0.7>\n");
            String again = new ObjectMapper()
                    .createObjectNode()
                    .put("infotext", infotext)
                    .toString();
            assertThat(decoded(ok(post(server, again).get()).at("/images/0"))).isEqualTo(expected);
        }
    }

    @Test
    void previewsOfTheServerAreDecodedByTheVaeThatIsNamedForThem() throws Exception {
        try (Server server = serve(
                "--preview-vae",
                Program.tinyModel().resolveSibling("tiny-taesd").toString())) {
            String events = post(
                            server,
                            "/tome4j/v1/generate",
                            "{\"prompt\": \"x\", \"num_inference_steps\": 100, \"width\": 128, \"height\": 136}")
                    .get()
                    .body();
            assertThat(events).contains("event: preview"); // there is one after 0.4 s
            String preview = events.substring(events.indexOf("event: preview\ndata: ") + 21)
                    .lines()
                    .findFirst()
                    .orElseThrow();
            assertThat(decoded(new ObjectMapper().readTree(preview).get("png"))).hasSize(128 * 136);
        }
    }

    private Path drawn(String name, boolean mask) throws IOException {
        BufferedImage image =
                new BufferedImage(64, 72, mask ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64 * 72; i++) {
            if (mask) {
                image.getRaster().setSample(i % 64, i / 64, 0, i % 64 < 40 ? 255 : 0);
            } else {
                image.setRGB(i % 64, i / 64, i * 37);
            }
        }
        Path file = folder.resolve(name);
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static String base64(Path file) throws IOException {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
    }

    private static int[] decoded(JsonNode base64) throws IOException {
        return pixels(ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(base64.asText()))));
    }

    @Test
    void whatWasAnsweredIsKeptWhenItIsKilled() throws Exception {
        Path images = folder.resolve("images");
        int answered = 0;
        for (int start = 0; start < 2; start++) {
            try (Server server = serve("--save-images", images.toString())) {
                for (int i = 0; i < 3; i++) {
                    ok(post(
                                    server,
                                    "{\"prompt\": \"x\", \"seed\": " + i + ", \"steps\": 1, \"save_images\": true,"
                                            + " \"width\": 64, \"height\": 64}")
                            .get());
                    answered++;
                }
                var unanswered = post(server, "{\"prompt\": \"x\", \"steps\": 100, \"save_images\": true}");
                server.process().destroyForcibly().waitFor(); // SIGKILL
                assertThat(unanswered).failsWithin(60, TimeUnit.SECONDS);
            }
        }
        try (var files = Files.list(images)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(answered).allMatch(file -> file.toString().endsWith(".png"));
            for (Path file : all) {
                assertThat(ImageIO.read(file.toFile())).isNotNull();
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--host 0.0.0.0|--host 0.0.0.0 can be reached from other machines: give --token",
                "--token short|--token is too short",
                "--port 70000|--port is 70000",
                "--queue 0|--queue is 0",
                "--queue 201|--queue is 201",
                "--max-pixels 1|--max-pixels is 1",
                "--grace soon|--grace is soon",
                "--cors-allow-origins example.org|--cors-allow-origins is 'example.org'",
                "--max-body 0|--max-body is 0",
                "--ratio 2|--ratio is 2"
            })
    void aBadOptionIsNamed(String options, String message) {
        Program program = Program.run((Object[]) ("serve --model " + Program.tinyModel() + " " + options).split(" "));
        program.assertIsUsageError("serve", message);
    }

    @Test
    void aModelThatIsNotThereIsSaid() {
        Program program = Program.run("serve", "--port", "0", "--model", folder.resolve("nothing"));
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("nothing");
    }
}
