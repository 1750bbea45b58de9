package io.tome4j.server.ops;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.http.RequestLog;
import io.tome4j.server.queue.GenerationQueue;
import io.tome4j.server.queue.Job;
import io.tome4j.server.queue.MadeImage;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.QueueListener;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.time.Duration;
import java.util.Locale;

/** What the server counts and times, in the form that Prometheus reads. */
public final class Metrics implements QueueListener, RequestLog {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /** Counts requests and jobs. */
    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        Gauge.builder("tome4j.memory.available", Metrics::available)
                .description("Memory that could still be had")
                .baseUnit("bytes")
                .register(registry);
        Gauge.builder("tome4j.tensors.live", TensorScope::liveObjects)
                .description("Native objects that are in use")
                .register(registry);
    }

    /** Shows a queue's length, and whether it is at work. */
    public void watch(GenerationQueue queue) {
        Gauge.builder("tome4j.queue.length", queue, each -> each.length())
                .description("Jobs that wait")
                .register(registry);
        Gauge.builder("tome4j.queue.running", queue, each -> each.running().isPresent() ? 1 : 0)
                .description("Jobs that are carried out")
                .register(registry);
    }

    private static double available() {
        return DeviceMemory.of(Placement.choose(DeviceChoice.CPU, DTypeChoice.FP32))
                .available()
                .orElse(0);
    }

    /** All of it as text. */
    public String text() {
        return registry.scrape();
    }

    @Override
    public void joined(Job job) {
        registry.counter("tome4j.queue.joined").increment();
    }

    @Override
    public void refused() {
        registry.counter("tome4j.queue.refused").increment();
    }

    @Override
    public void loaded(String model, double seconds) {
        Timer.builder("tome4j.model.load")
                .tag("model", model)
                .register(registry)
                .record(Duration.ofNanos((long) (seconds * 1e9)));
    }

    @Override
    public void ended(Job job, Outcome outcome) {
        ToMeOptions options = job.task().first().merging().orElse(ToMeOptions.NONE);
        String method = options.merges() ? lowerCase(options.method()) : "none";
        Timer.builder("tome4j.generation")
                .description("Time that jobs take, without waiting")
                .tags("model", job.task().model().name(), "method", method, "outcome", lowerCase(outcome.end()))
                .publishPercentileHistogram(false)
                .register(registry)
                .record(outcome.took());
        registry.timer("tome4j.queue.wait").record(outcome.waited());
        for (MadeImage image : outcome.images()) {
            registry.counter("tome4j.pixels")
                    .increment((double) image.image().width() * image.image().height());
            registry.counter("tome4j.images").increment();
            Timer steps = Timer.builder("tome4j.step")
                    .description("Time that a denoising step takes")
                    .tags("method", method)
                    .register(registry);
            image.stepSeconds().forEach(step -> steps.record(Duration.ofNanos((long) (step * 1e9))));
            image.merging().filter(PatchReport::merges).ifPresent(this::recordMerged);
        }
    }

    private void recordMerged(PatchReport report) {
        DistributionSummary.builder("tome4j.tokens.merged.share")
                .description("Share of the tokens of merging blocks that is merged away")
                .register(registry)
                .record(1 - (double) report.tokensAfter() / Math.max(1, report.tokensBefore()));
    }

    @Override
    public void answered(String method, String route, int status, long nanos, String client) {
        Timer.builder("tome4j.http.requests")
                .tags("method", known(method), "route", route.isEmpty() ? "none" : route, "status", status + "")
                .register(registry)
                .record(Duration.ofNanos(nanos));
    }

    /** A client may call its method anything. */
    private static String known(String method) {
        return switch (method) {
            case "GET", "POST", "HEAD", "OPTIONS" -> method;
            default -> "other";
        };
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
