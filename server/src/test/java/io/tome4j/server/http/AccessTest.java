package io.tome4j.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.server.Served;
import io.tome4j.server.TomeServer;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class AccessTest {
    private static final String SECRET = "a long secret: wörd";

    private static String basic(String userAndPassword) {
        return "Basic " + Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void withATokenNothingAnswersWithoutItButWhetherTheServerIsAlive() throws Exception {
        try (Served served = Served.withToken(SECRET)) {
            for (String path : List.of(
                    "/", "/sdapi/v1/options", "/v1/models", "/metrics", "/readyz", "/openapi.json", "/nonsense")) {
                HttpResponse<String> answer = served.get(path);
                assertThat(answer.statusCode()).as(path).isEqualTo(401);
                assertThat(answer.headers().firstValue("WWW-Authenticate").orElseThrow())
                        .startsWith("Basic");
            }
            assertThat(served.post("/sdapi/v1/txt2img", "{}").statusCode()).isEqualTo(401);
            assertThat(served.get("/healthz").statusCode()).isEqualTo(200);
            for (String wrong : List.of(
                    "", "Bearer", "Bearer nonsense", basic("user:nonsense"), "Basic ###", "Digest " + SECRET, SECRET)) {
                served.authorization(wrong);
                assertThat(served.get("/sdapi/v1/options").statusCode())
                        .as(wrong)
                        .isEqualTo(401);
            }
            served.authorization(basic("anybody:" + SECRET));
            assertThat(served.get("/sdapi/v1/options").statusCode()).isEqualTo(200);
        }
        try (Served served = Served.withToken("plain-ascii")) {
            served.authorization("Bearer plain-ascii");
            assertThat(served.get("/sdapi/v1/options").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void withoutATokenAnyAuthorizationPasses() throws Exception {
        try (Served served = Served.start()) {
            for (String any : List.of("Bearer x", basic("a:b"), "nonsense")) {
                served.authorization(any);
                assertThat(served.get("/sdapi/v1/options").statusCode()).isEqualTo(200);
            }
            assertThat(raw(served, "GET /sdapi/v1/options HTTP/1.1\r\nHost: localhost\r\nAuthorization: \r\n"))
                    .startsWith("HTTP/1.1 200");
        }
    }

    /** What a server answers to a request that ends with an empty line and closes the connection. */
    private static String raw(Served served, String request) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), served.server().port())) {
            OutputStream out = socket.getOutputStream();
            out.write((request + "Connection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void aPageWhoseNamePointsHereIsNotServed() throws Exception {
        try (Served served = Served.start()) {
            String port = ":" + served.server().port();
            for (String host : List.of("localhost", "127.0.0.1", "localhost" + port, "LOCALHOST" + port)) {
                assertThat(raw(served, "GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n"))
                        .as(host)
                        .startsWith("HTTP/1.1 200");
            }
            for (String host : List.of("evil.example", "evil.example" + port, "localhost.evil.example", "10.0.0.1")) {
                assertThat(raw(served, "GET /sdapi/v1/options HTTP/1.1\r\nHost: " + host + "\r\n"))
                        .as(host)
                        .startsWith("HTTP/1.1 421");
            }
        }
    }

    @Test
    void pagesOfOtherOriginsMayAskOnlyIfTheyAreAllowed() throws Exception {
        String allowed = "https://lite.koboldai.net";
        try (Served served = Served.withHttp(http -> http.allowedOrigins(List.of(allowed)))) {
            assertThat(posted(served, "https://evil.example").statusCode()).isEqualTo(403);
            assertThat(posted(served, "null").statusCode()).isEqualTo(403);
            assertThat(posted(served, "http://127.0.0.1:" + served.server().port())
                            .statusCode())
                    .isEqualTo(200);
            HttpResponse<String> answer = posted(served, allowed);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
                    .contains(allowed);
            HttpResponse<String> asked = served.send(served.request("/sdapi/v1/txt2img")
                    .header("Origin", allowed)
                    .header("Access-Control-Request-Method", "POST")
                    .header("Access-Control-Request-Headers", "authorization,content-type,x-stainless-lang")
                    .method("OPTIONS", BodyPublishers.noBody()));
            assertThat(asked.statusCode()).isEqualTo(204);
            assertThat(asked.headers()
                            .firstValue("Access-Control-Allow-Headers")
                            .orElseThrow())
                    .isEqualTo("authorization,content-type,x-stainless-lang");
        }
    }

    private static HttpResponse<String> posted(Served served, String origin) throws Exception {
        return served.send(
                served.request("/sdapi/v1/interrupt").header("Origin", origin).POST(BodyPublishers.ofString("{}")));
    }

    @Test
    void anAddressThatOtherMachinesReachNeedsAToken() {
        var settings = Served.settings();
        assertThatThrownBy(() -> new TomeServer(
                        settings.http(settings.http().host("0.0.0.0")),
                        new java.io.PrintWriter(java.io.Writer.nullWriter())))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("token");
    }

    @Test
    void everyAnswerSaysWhatPagesMayDo() throws Exception {
        try (Served served = Served.start()) {
            for (String path : List.of("/healthz", "/nonsense", "/sdapi/v1/options")) {
                var headers = served.get(path).headers();
                assertThat(headers.firstValue("Content-Security-Policy").orElseThrow())
                        .startsWith("default-src 'self'");
                assertThat(headers.firstValue("X-Content-Type-Options")).contains("nosniff");
                assertThat(headers.firstValue("Server")).isEmpty();
            }
            assertThat(served.get("/sdapi/v1/nonsense").body())
                    .isEqualTo("{\"error\":\"HTTPException\",\"detail\":"
                            + "\"Not Found\",\"body\":\"\",\"errors\":\"Not Found\"}");
            assertThat(served.get("/sdapi/v1/txt2img").statusCode()).isEqualTo(405);
        }
    }
}
