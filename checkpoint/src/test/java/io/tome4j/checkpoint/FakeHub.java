package io.tome4j.checkpoint;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server on this machine that answers as the Hugging Face hub does, with one model {@code org/tiny}: small files come
 * from itself, with git's SHA-1 as their ETag; large ones (safetensors) by a redirect to a second server, which stands
 * for the content delivery network. What should go wrong is said by its fields.
 */
final class FakeHub implements AutoCloseable {
    static final String ID = "org/tiny";

    /** What the model is. */
    static final List<CheckpointKind> KINDS = List.of(new CheckpointKind(
            "Tiny",
            List.of("StableDiffusionPipeline"),
            Map.of(),
            List.of(
                    "scheduler/scheduler_config.json",
                    "text_encoder/config.json",
                    "unet/config.json",
                    "vae/config.json"),
            List.of("tokenizer"),
            List.of("text_encoder", "unet", "vae"),
            folder -> {}));

    /** What the model was called before; the hub sends whoever asks for it on. */
    static final String FORMER_ID = "org/former";

    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** One request as it arrived. */
    record Seen(String server, String method, String path, String authorization, String range) {}

    final Map<String, byte[]> files = new LinkedHashMap<>();
    final List<Seen> seen = Collections.synchronizedList(new ArrayList<>());

    /** Status and X-Error-Code to answer API requests with, while {@link #refusals} lasts. */
    volatile int status;

    volatile String errorCode = "";
    volatile String retryAfter = "0";
    final AtomicInteger refusals = new AtomicInteger();
    volatile String commit = COMMIT;
    /** Content that goes over the wire in place of the true one. */
    volatile byte[] forged = new byte[0];
    /** Connections to cut, each after this many bytes of large content. */
    final AtomicInteger cuts = new AtomicInteger();

    volatile int cutAfter;
    volatile boolean knowsRanges = true;
    volatile String etagOverride = "";
    /** Where everybody is sent on to, if not empty. */
    volatile String redirect = "";
    /** Where large content is, as the hub says. */
    volatile String cdnAddress;
    /** How long an answer takes, in milliseconds. */
    volatile int delay;
    /** The last Proxy-Authorization that was seen. */
    volatile String proxyAuthorization = "";

    private final HttpServer hub;
    private final HttpServer cdn;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    FakeHub() throws IOException {
        hub = start(this::answerAsHub);
        cdn = start(this::answerAsCdn);
        cdnAddress = "http://127.0.0.1:" + cdnPort();
        put(
                "model_index.json",
                "{\"_class_name\":\"StableDiffusionPipeline\",\"unet\":[\"diffusers\",\"U\"],"
                        + "\"vae\":[\"diffusers\",\"V\"],\"text_encoder\":[\"transformers\",\"T\"]}");
        put("scheduler/scheduler_config.json", "{\"a\":1}");
        put("tokenizer/vocab.json", "{\"a\":0}");
        put("tokenizer/merges.txt", "");
        put("README.md", "not needed");
        put("sd.ckpt", "not needed");
        put("safety_checker/model.safetensors", "not needed");
        for (String component :
                List.of("text_encoder/model", "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model")) {
            put(component.replaceFirst("/.*", "/config.json"), "{}");
            files.put(component + ".safetensors", safetensors(component.charAt(0)));
            files.put(component + ".fp16.safetensors", safetensors(component.charAt(0) + 1));
            put(component.replace("diffusion_pytorch_", "") + ".bin", "not needed");
        }
    }

    private interface Handler {
        void answer(HttpExchange exchange) throws IOException;
    }

    private HttpServer start(Handler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            try (exchange) {
                seen.add(new Seen(
                        server == hub ? "hub" : "cdn",
                        exchange.getRequestMethod(),
                        exchange.getRequestURI().toString(),
                        String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
                        String.valueOf(exchange.getRequestHeaders().getFirst("Range"))));
                handler.answer(exchange);
            }
        });
        server.start();
        return server;
    }

    /** A safetensors file of some 200 KB whose bytes are all the same. */
    static byte[] safetensors(int value) {
        int size = 200_000;
        String header = "{\"x\":{\"dtype\":\"U8\",\"shape\":[" + size + "],\"data_offsets\":[0," + size + "]}}";
        byte[] bytes = new byte[8 + header.length() + size];
        java.util.Arrays.fill(bytes, (byte) value);
        java.util.Arrays.fill(bytes, 0, 8, (byte) 0);
        bytes[0] = (byte) header.length();
        System.arraycopy(header.getBytes(StandardCharsets.UTF_8), 0, bytes, 8, header.length());
        return bytes;
    }

    void put(String file, String text) {
        files.put(file, text.getBytes(StandardCharsets.UTF_8));
    }

    HubSettings settings(Path cache, String token) {
        return settings("http://localhost:" + port(), cache, token, Network.DIRECT);
    }

    static HubSettings settings(String endpoint, Path cache, String token, Network network) {
        return new HubSettings(URI.create(endpoint), cache, token, false, Duration.ofMillis(1), network);
    }

    int port() {
        return hub.getAddress().getPort();
    }

    int cdnPort() {
        return cdn.getAddress().getPort();
    }

    long count(String method, String ending) {
        return seen.stream()
                .filter(s -> s.method().equals(method) && s.path().endsWith(ending))
                .count();
    }

    private void answerAsHub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        proxyAuthorization = String.valueOf(exchange.getRequestHeaders().getFirst("Proxy-Authorization"));
        sleep(delay);
        if (!redirect.isEmpty()) {
            exchange.getResponseHeaders().set("Location", redirect);
            exchange.sendResponseHeaders(302, -1);
        } else if (refusals.getAndDecrement() > 0) {
            exchange.getResponseHeaders().set("X-Error-Code", errorCode);
            exchange.getResponseHeaders().set("Retry-After", retryAfter);
            exchange.sendResponseHeaders(status, -1);
        } else if (path.contains("/" + FORMER_ID + "/")) {
            exchange.getResponseHeaders().set("Location", path.replace(FORMER_ID, ID));
            exchange.sendResponseHeaders(307, -1);
        } else if (path.equals("/api/models/" + ID + "/revision/main") || path.endsWith(COMMIT)) {
            send(exchange, info().getBytes(StandardCharsets.UTF_8));
        } else if (path.startsWith("/api/")) {
            boolean known = path.startsWith("/api/models/" + ID + "/");
            exchange.getResponseHeaders().set("X-Error-Code", known ? "RevisionNotFound" : "RepoNotFound");
            exchange.sendResponseHeaders(known ? 404 : 401, -1);
        } else {
            resolve(exchange, path.substring(("/" + ID + "/resolve/" + COMMIT + "/").length()));
        }
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the test is over
        }
    }

    private String info() {
        StringBuilder json = new StringBuilder("{\"id\":\"" + ID + "\",\"sha\":\"" + commit + "\",\"siblings\":[");
        files.keySet()
                .forEach(file -> json.append("{\"rfilename\":\"").append(file).append("\"},"));
        json.setLength(json.length() - 1);
        return json.append("]}").toString();
    }

    private void resolve(HttpExchange exchange, String file) throws IOException {
        byte[] content = files.get(file);
        var headers = exchange.getResponseHeaders();
        headers.set("X-Repo-Commit", COMMIT);
        if (content == null) {
            headers.set("X-Error-Code", "EntryNotFound");
            exchange.sendResponseHeaders(404, -1);
        } else if (file.endsWith(".safetensors")) {
            headers.set(
                    "X-Linked-Etag", "\"" + (etagOverride.isEmpty() ? sha("SHA-256", content) : etagOverride) + "\"");
            headers.set("X-Linked-Size", String.valueOf(content.length));
            headers.set("Location", cdnAddress + "/" + file);
            exchange.sendResponseHeaders(302, -1);
        } else {
            headers.set("ETag", "W/\"" + gitSha(content) + "\"");
            send(exchange, content);
        }
    }

    static String gitSha(byte[] content) {
        byte[] prefix = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] all = java.util.Arrays.copyOf(prefix, prefix.length + content.length);
        System.arraycopy(content, 0, all, prefix.length, content.length);
        return sha("SHA-1", all);
    }

    static String sha(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void answerAsCdn(HttpExchange exchange) throws IOException {
        byte[] content = files.get(exchange.getRequestURI().getPath().substring(1));
        if (forged.length > 0) {
            content = forged;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null || !knowsRanges ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        int length = content.length - from;
        exchange.sendResponseHeaders(range == null || !knowsRanges ? 200 : 206, length);
        if (cuts.getAndDecrement() > 0) {
            exchange.getResponseBody().write(content, from, Math.min(cutAfter, length));
            exchange.getResponseBody().flush();
            throw new IOException("cut"); // the server closes the connection
        }
        exchange.getResponseBody().write(content, from, length);
    }

    private static void send(HttpExchange exchange, byte[] content) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
            exchange.sendResponseHeaders(200, -1);
        } else {
            exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
            exchange.getResponseBody().write(content);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        cdn.stop(0);
        threads.shutdownNow();
    }
}
