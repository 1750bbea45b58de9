package io.tome4j.server.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.server.http.Api;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import io.tome4j.server.queue.GenerationQueue;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Whether the server is well, what it counts, and what can be asked of it. */
public final class OpsApi implements Api {
    private static final String DOCUMENT = "openapi.json";

    private final GenerationQueue queue;
    private final Metrics metrics;
    private final AtomicBoolean loaded;
    private final byte[] document = document();

    /** @param loaded whether the model has been loaded */
    public OpsApi(GenerationQueue queue, Metrics metrics, AtomicBoolean loaded) {
        this.queue = queue;
        this.metrics = metrics;
        this.loaded = loaded;
    }

    private static byte[] document() {
        try (InputStream in = OpsApi.class.getResourceAsStream(DOCUMENT)) {
            if (in == null) {
                throw new TomeException("The resource " + DOCUMENT + " of the server is missing.");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new TomeException("The resource " + DOCUMENT + " of the server cannot be read.", e);
        }
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.get("/healthz", exchange -> Json.answer(exchange, status("alive")))
                        .open(true),
                Route.get("/readyz", this::ready),
                Route.get("/metrics", this::metrics),
                Route.get("/openapi.json", exchange -> exchange.answer(200, "application/json", document)));
    }

    @Override
    public boolean owns(String path) {
        return path.equals("/healthz")
                || path.equals("/readyz")
                || path.equals("/metrics")
                || path.equals("/openapi.json");
    }

    @Override
    public ErrorAnswer answer(HttpError error) {
        return new ErrorAnswer(error.status(), Json.object().put("detail", error.message()));
    }

    private static ObjectNode status(String status) {
        return Json.object().put("status", status);
    }

    private void ready(Exchange exchange) {
        boolean ready = loaded.get() && !queue.isClosing();
        Json.answer(exchange, ready ? 200 : 503, status(ready ? "ready" : queue.isClosing() ? "stopping" : "loading"));
    }

    private void metrics(Exchange exchange) {
        exchange.answer(
                200, "text/plain; version=0.0.4; charset=utf-8", metrics.text().getBytes(StandardCharsets.UTF_8));
    }
}
