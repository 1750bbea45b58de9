package io.tome4j.springboot;

import java.util.Locale;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/** Says whether the model is loaded, and is down only where loading failed. It neither loads nor generates. */
final class Tome4jHealthIndicator extends AbstractHealthIndicator {
    private final ConfiguredPipeline pipeline;

    Tome4jHealthIndicator(ConfiguredPipeline pipeline) {
        this.pipeline = pipeline;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        builder.withDetail("model", pipeline.modelName());
        if (!pipeline.failure().isEmpty()) {
            builder.down().withDetail("error", pipeline.failure());
            return;
        }
        builder.up().withDetail("loaded", pipeline.loaded().isPresent());
        pipeline.loaded().ifPresent(loaded -> builder.withDetail(
                        "device", loaded.placement().device().name().toLowerCase(Locale.ROOT))
                .withDetail("dtype", loaded.placement().dtype().name().toLowerCase(Locale.ROOT)));
    }
}
