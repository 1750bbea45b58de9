package io.tome4j.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events: each has a name, and data that is JSON. */
public final class EventStream {
    private final OutputStream out;

    private EventStream(OutputStream out) {
        this.out = out;
    }

    /** Begins an answer that is such a stream. */
    public static EventStream of(Exchange exchange) {
        return new EventStream(exchange.answerInParts("text/event-stream;charset=utf-8"));
    }

    /** @throws IOException if the client has gone */
    public void send(String event, JsonNode data) throws IOException {
        write("event: " + event + "\ndata: " + data + "\n\n");
    }

    /**
     * Sends what no client takes notice of.
     *
     * @throws IOException if the client has gone
     */
    public void keepAlive() throws IOException {
        write(": \n\n");
    }

    private void write(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
