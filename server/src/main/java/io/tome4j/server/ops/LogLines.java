package io.tome4j.server.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.RequestLog;
import io.tome4j.server.queue.Job;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.QueueListener;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * One line of JSON for each request, job and failure. No bodies, prompts, queries or headers: they may hold what is
 * nobody's business.
 *
 * @param out where to
 */
public record LogLines(PrintWriter out) implements RequestLog, QueueListener {
    @Override
    public void answered(String method, String route, int status, long nanos, String client) {
        ObjectNode line = line("request")
                .put("method", method.length() <= 10 ? method : method.substring(0, 10))
                .put("route", route)
                .put("status", status)
                .put("seconds", seconds(nanos / 1e9))
                .put("client", client);
        print(line);
    }

    @Override
    public void failed(String method, String route, Throwable failure) {
        print(line("failure").put("method", method).put("route", route).put("trace", trace(failure)));
    }

    @Override
    public void loaded(String model, double seconds) {
        print(line("model").put("model", model).put("seconds", seconds(seconds)));
    }

    @Override
    public void joined(Job job) {
        print(line("joined").put("job", job.id()));
    }

    @Override
    public void ended(Job job, Outcome outcome) {
        ObjectNode line = line("job")
                .put("job", job.id())
                .put("model", job.task().model().name())
                .put("outcome", outcome.end().name().toLowerCase(Locale.ROOT))
                .put("images", outcome.images().size())
                .put("waited", seconds(outcome.waited().toNanos() / 1e9))
                .put("seconds", seconds(outcome.took().toNanos() / 1e9));
        outcome.failure()
                .filter(failure -> !(failure instanceof io.tome4j.tensor.TomeException)
                        && !(failure instanceof IllegalArgumentException))
                .ifPresent(failure -> line.put("trace", trace(failure)));
        print(line);
    }

    private static ObjectNode line(String event) {
        return Json.object()
                .put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString())
                .put("event", event);
    }

    private void print(ObjectNode line) {
        out.println(line);
        out.flush();
    }

    private static String trace(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static double seconds(double seconds) {
        return Math.round(seconds * 1000) / 1000.0;
    }
}
