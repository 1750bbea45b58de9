package io.tome4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.server.generate.Limits;
import io.tome4j.server.http.HttpSettings;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.DTypeChoice;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

/** A server of the tiny model in this process, and a client of it. */
public final class Served implements AutoCloseable {
    public static final ObjectMapper JSON = new ObjectMapper();

    /** Side of an image that is quickly made, in pixels. */
    public static final int SIDE = 64;

    private final TomeServer server;
    private final StringWriter log;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private String authorization = "";

    private Served(TomeServer server, StringWriter log) {
        this.server = server;
        this.log = log;
    }

    /** Listens at a free port of the loopback address, to everybody; the queue has room for 8. */
    public static ServerSettings settings() {
        return ServerSettings.of(
                        HttpSettings.at("127.0.0.1", 0).maxBody(8 << 20).grace(Duration.ofSeconds(20)),
                        List.of(tiny("tiny-sd1")))
                .limits(new Limits(512 * 512, false, 2000, 16, 2000));
    }

    public static ServedModel tiny(String fixture) {
        return new ServedModel(
                fixture,
                fixture.equals("tiny-sd1") ? "0123456789abcdef" : "",
                "",
                new ServedModel.Defaults(2, 7.5, SIDE, SIDE),
                () -> StableDiffusionPipeline.fromPretrained(
                        Fixtures.path(fixture).toString(), PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32)));
    }

    public static Served start() throws InterruptedException {
        return start(settings());
    }

    public static Served start(ServerSettings settings) throws InterruptedException {
        StringWriter log = new StringWriter();
        return new Served(new TomeServer(settings, new PrintWriter(log)).start(), log);
    }

    public static Served withHttp(UnaryOperator<HttpSettings> change) throws InterruptedException {
        return start(settings().http(change.apply(settings().http())));
    }

    public static Served withToken(String token) throws InterruptedException {
        return withHttp(http -> http.token(token));
    }

    public TomeServer server() {
        return server;
    }

    public String log() {
        return log.toString();
    }

    /** What the client says who it is from now on. */
    public void authorization(String header) {
        authorization = header;
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    public HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
        return authorization.isEmpty() ? request : request.header("Authorization", authorization);
    }

    public HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    public HttpClient http() {
        return http;
    }

    public HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)));
    }

    public HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(request(path).GET());
    }

    /** The JSON of an answer that says that all is well. */
    public JsonNode ok(HttpResponse<String> answer) throws IOException {
        if (answer.statusCode() != 200) {
            throw new AssertionError(answer.statusCode() + ": " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    public JsonNode posted(String path, String body) throws IOException, InterruptedException {
        return ok(post(path, body));
    }

    public JsonNode got(String path) throws IOException, InterruptedException {
        return ok(get(path));
    }

    @Override
    public void close() {
        server.close();
    }
}
