package io.tome4j.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.ControlNetFolder;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.server.Recorded;
import io.tome4j.server.Served;
import io.tome4j.server.generate.Folders;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What those send who mean no good. {@code -Dtome4j.hostile=10000} sends so many mutated requests. */
class HostileTest {
    private static final int MUTATIONS = Integer.getInteger("tome4j.hostile", 300);
    private static final long SEED = Long.getLong("tome4j.seed", 20_261_126);
    private static Served served;

    @BeforeAll
    static void start() throws InterruptedException {
        served = Served.start(Served.settings()
                .folders(Folders.NONE
                        .controlNets(ControlNetFolder.of(Fixtures.path("controlnet")))
                        .embeddings(EmbeddingFolder.of(Fixtures.path("embeddings")))));
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static void assertWell() throws Exception {
        assertThat(served.get("/healthz").statusCode()).isEqualTo(200);
        served.posted("/sdapi/v1/txt2img", "{\"prompt\": \"x\", \"steps\": 1}");
        assertThat(served.log()).doesNotContain("\"event\":\"failure\"").doesNotContain("\"trace\"");
    }

    @Test
    void mutatedRequestsAreRefusedOrAnsweredAndNothingBreaks() throws Exception {
        Random random = new Random(SEED);
        List<Recorded> requests = List.copyOf(Recorded.ALL.values());
        for (int i = 0; i < MUTATIONS; i++) {
            Recorded request = requests.get(random.nextInt(requests.size()));
            String path = random.nextInt(4) == 0 ? Mutation.path(random) : request.path();
            byte[] body = Mutation.of(random, request.body());
            HttpResponse<String> answer = send(served.request(path)
                    .header(
                            "Content-Type",
                            random.nextInt(5) == 0 ? "multipart/form-data; boundary=x" : "application/json")
                    .header("X-" + random.nextInt(100), Mutation.header(random))
                    .POST(BodyPublishers.ofByteArray(body)));
            assertThat(answer.statusCode())
                    .as(i + ": " + path + " " + new String(body, StandardCharsets.UTF_8) + "\n" + answer.body())
                    .matches(status -> status == 200 || (status >= 400 && status < 500) || status == 501);
            assertThat(answer.body()).doesNotContain("Exception:").doesNotContain("\tat ");
        }
        assertWell();
        assertThat(served.server().queue().length()).isZero();
    }

    /** Sends it once more if the server closed the connection just when it was to be used again, as HTTP has it. */
    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        try {
            return served.send(request);
        } catch (IOException e) {
            return served.send(request);
        }
    }

    @Test
    void damagedHeadsAreRefused() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < Math.max(50, MUTATIONS / 20); i++) {
            byte[] head = Mutation.of(
                    random, "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
            String answer = raw(head, 2_000);
            assertThat(answer)
                    .satisfiesAnyOf(
                            text -> assertThat(text).isEmpty(),
                            text -> assertThat(text).startsWith("HTTP/1.1 4"),
                            text -> assertThat(text).startsWith("HTTP/1.1 505"),
                            text -> assertThat(text).startsWith("HTTP/1.1 501"),
                            text -> assertThat(text).startsWith("HTTP/1.1 200"));
            assertThat(answer).doesNotContain("\tat ");
        }
        assertWell();
    }

    /** What a server answers to bytes, as far as it does in some time. */
    private static String raw(byte[] bytes, int millis) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), served.server().port())) {
            socket.setSoTimeout(millis);
            OutputStream out = socket.getOutputStream();
            out.write(bytes);
            out.flush();
            socket.shutdownOutput();
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            InputStream in = socket.getInputStream();
            byte[] chunk = new byte[8192];
            try {
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    answer.write(chunk, 0, read);
                }
            } catch (IOException e) {
                // it says no more
            }
            return answer.toString(StandardCharsets.UTF_8);
        }
    }

    @Test
    void aBodyOf100MegabytesIsRefusedWithoutBeingRead() throws Exception {
        String head = "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n{";
        assertThat(raw(head.getBytes(StandardCharsets.US_ASCII), 5_000)).startsWith("HTTP/1.1 413");
        String multipart =
                "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data;"
                        + " boundary=x\r\nContent-Length: 104857600\r\n\r\n--x";
        assertThat(raw(multipart.getBytes(StandardCharsets.US_ASCII), 5_000)).startsWith("HTTP/1.1 4");
        assertThat(chunked(9 << 20)).startsWith("HTTP/1.1 413"); // the test server's limit is 8 MB
        assertWell();
    }

    /** Sends a body whose length is not said. */
    private static String chunked(int bytes) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes("POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
        byte[] chunk = new byte[1 << 20];
        for (int sent = 0; sent < bytes; sent += chunk.length) {
            request.writeBytes((Integer.toHexString(chunk.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
            request.writeBytes(chunk);
            request.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        request.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return raw(request.toByteArray(), 10_000);
    }

    @Test
    void aBodyOfAMillionPartsIsRefused() throws Exception {
        String parts = "[" + "[],".repeat(1_000_000) + "[]]";
        HttpResponse<String> answer = served.post("/sdapi/v1/txt2img", "{\"prompt\": \"x\", \"more\": " + parts + "}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("more than 100000 parts");
        assertWell();
    }

    @Test
    void loraTagsOfManyPartsAreWordsThatCannotBeRead() throws Exception {
        for (String tag : List.of("<lora:x" + ":".repeat(1900) + ">", "<lyco:x:1>")) {
            HttpResponse<String> answer = served.post("/sdapi/v1/txt2img", "{\"prompt\": \"" + tag + "\"}");
            assertThat(answer.statusCode()).as(tag).isEqualTo(422);
            assertThat(answer.body()).contains("names a LoRA");
        }
        assertWell();
    }

    @Test
    void anImageThatSaysItIsHugeIsNotDecoded() throws Exception {
        String huge = Base64.getEncoder().encodeToString(hugePng());
        assertThat(huge.length()).isLessThan(1024);
        HttpResponse<String> answer =
                served.post("/tome4j/v1/compare", "{\"unmerged\": \"" + huge + "\", \"merged\": \"" + huge + "\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("50000 x 50000");
        assertThat(served.post("/sdapi/v1/png-info", "{\"image\": \"" + huge + "\"}")
                        .statusCode())
                .isLessThan(500);
        assertWell();
    }

    /** A PNG of a few bytes whose header says 50,000 x 50,000 pixels. */
    private static byte[] hugePng() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB), "png", out);
        byte[] png = out.toByteArray();
        ByteBuffer.wrap(png).putInt(16, 50_000).putInt(20, 50_000);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        return png;
    }

    @Test
    void noFileOfTheMachineIsServedOrWritten(@TempDir Path folder) throws Exception {
        for (String path : List.of(
                "/..%2f..%2fetc/passwd",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/static/../../pom.xml",
                "/app.js%00.html",
                "/file:///etc/passwd",
                "//etc/passwd",
                "/v1/models/..%2f..%2fetc%2fpasswd")) {
            String answer = raw(
                    ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII),
                    5_000);
            assertThat(answer).as(path).startsWith("HTTP/1.1 4").doesNotContain("root:");
        }
        HttpResponse<String> url = served.post(
                "/sdapi/v1/png-info",
                "{\"image\": \"http://127.0.0.1:" + served.server().port() + "/icon.svg\"}");
        assertThat(url.statusCode()).isEqualTo(400);
        assertThat(url.body()).contains("fetches none");
        String model = "{\"prompt\": \"x\", \"override_settings\": {\"sd_model_checkpoint\": \"" + folder + "\"}}";
        assertThat(served.post("/sdapi/v1/txt2img", model).statusCode()).isEqualTo(404);
        assertWell();
    }

    @Test
    void aThousandConnectionsAndSlowClientsKeepNobodyOut() throws Exception {
        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), served.server().port());
                open.add(socket);
                if (i % 10 == 0) { // some begin a request and do not end it
                    socket.getOutputStream()
                            .write(("POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                                            + (i % 20 == 0 ? "\r\n{" : "X-Slow: "))
                                    .getBytes(StandardCharsets.US_ASCII));
                }
            }
            assertWell();
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
        assertWell();
    }

    @Test
    void aFormMayHaveSoManyPartsAndEachHasAName() throws Exception {
        String part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        for (String body : List.of(
                part.repeat(65) + "--x--\r\n",
                "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
                "--x\r\n\r\n1\r\n--x--\r\n",
                part,
                "")) {
            HttpResponse<String> answer = served.send(served.request("/v1/images/edits")
                    .header("Content-Type", "multipart/form-data; boundary=x")
                    .POST(BodyPublishers.ofString(body)));
            assertThat(answer.statusCode()).as(body).isEqualTo(400);
            assertThat(answer.body()).contains("form");
        }
        assertWell();
    }

    @Test
    void aBodyThatTricklesInEndsWithItsTime() throws Exception {
        try (Served impatient = Served.withHttp(http -> http.patience(Duration.ofMillis(300)))) {
            for (String type : List.of("application/json", "multipart/form-data; boundary=x")) {
                try (Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), impatient.server().port())) {
                    socket.setSoTimeout(50);
                    OutputStream out = socket.getOutputStream();
                    out.write(("POST /v1/images/edits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                                    + "Content-Type: " + type + "\r\n\r\n--x\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
                    assertThat(firstLine(socket)).as(type).startsWith("HTTP/1.1 408");
                }
            }
        }
    }

    /** What is answered while a byte is sent from time to time; nothing after half a minute. */
    private static String firstLine(Socket socket) throws IOException {
        byte[] answer = new byte[12];
        for (int tries = 0; tries < 600; tries++) {
            socket.getOutputStream().write(' ');
            socket.getOutputStream().flush();
            try {
                int read = socket.getInputStream().readNBytes(answer, 0, answer.length);
                return new String(answer, 0, read, StandardCharsets.US_ASCII);
            } catch (SocketTimeoutException e) {
                // not yet
            }
        }
        return "";
    }
}
