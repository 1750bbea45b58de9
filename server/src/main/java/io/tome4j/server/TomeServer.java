package io.tome4j.server;

import io.tome4j.server.a1111.WebUiApi;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.ImageFolder;
import io.tome4j.server.http.Api;
import io.tome4j.server.http.HttpServer;
import io.tome4j.server.http.Route;
import io.tome4j.server.openai.OpenAiApi;
import io.tome4j.server.ops.LogLines;
import io.tome4j.server.ops.Metrics;
import io.tome4j.server.ops.OpsApi;
import io.tome4j.server.playground.PlaygroundApi;
import io.tome4j.server.queue.GenerationQueue;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Images over HTTP: the API of A1111's web UI, OpenAI's images API, and a page to try merging on. */
public final class TomeServer implements AutoCloseable {
    private final ServerSettings settings;
    private final GenerationQueue queue;
    private final HttpServer http;
    private final List<Api> apis;
    private final AtomicBoolean loaded = new AtomicBoolean();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private volatile int port;

    /**
     * @param log where a line is written for each request and job
     * @throws io.tome4j.tensor.TomeException if other machines could reach it and there is no token
     */
    public TomeServer(ServerSettings settings, PrintWriter log) {
        this.settings = settings;
        Metrics metrics = new Metrics();
        LogLines lines = new LogLines(log);
        this.queue = new GenerationQueue(settings.models(), settings.queue(), new Listeners(List.of(metrics, lines)));
        metrics.watch(queue);
        Generation generation = new Generation(queue, settings.limits(), settings.merging(), settings.folders());
        this.apis = List.of(
                new OpsApi(queue, metrics, loaded),
                new WebUiApi(generation, settings.images().map(ImageFolder::new)),
                new OpenAiApi(generation),
                new PlaygroundApi(generation));
        this.http = new HttpServer(settings.http(), apis, new RequestLogs(List.of(metrics, lines)));
    }

    /**
     * Begins to listen and loads the model; returns when images can be made.
     *
     * @throws io.tome4j.tensor.TomeException if the address cannot be listened at, or the model cannot be loaded
     */
    public TomeServer start() throws InterruptedException {
        port = http.start();
        CompletableFuture<Void> loading = queue.start();
        try {
            loading.get();
        } catch (ExecutionException e) {
            close();
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        }
        loaded.set(true);
        return this;
    }

    /** The port that it listens at. */
    public int port() {
        return port;
    }

    /** Where it is: {@code http://127.0.0.1:7860}. */
    public String address() {
        String host = settings.http().host();
        return "http://" + (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + port;
    }

    /** All that can be asked for. */
    public List<Route> routes() {
        return apis.stream().flatMap(api -> api.routes().stream()).toList();
    }

    /** The jobs. */
    public GenerationQueue queue() {
        return queue;
    }

    /** Takes no more jobs, finishes those that there are within the grace, has all answers go out, and stops. */
    @Override
    public void close() {
        if (stopped.getAndSet(true)) {
            return;
        }
        Duration grace = settings.http().grace();
        try {
            queue.close(grace);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        http.stop();
    }
}
