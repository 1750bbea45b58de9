package io.tome4j.springboot;

import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.springai.Tome4jImageOptions;
import io.tome4j.tensor.TomeException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The pipeline that the properties describe: loaded by who asks first, closed with the application. */
final class ConfiguredPipeline implements Supplier<StableDiffusionPipeline>, AutoCloseable {
    private final Tome4jProperties properties;
    private final Optional<ToMeOptions> merging;
    private volatile @Nullable StableDiffusionPipeline loaded;
    private volatile String failure = "";
    private boolean closed;

    ConfiguredPipeline(Tome4jProperties properties) {
        this.properties = properties;
        Tome4jImageOptions.Builder options = Tome4jImageOptions.builder();
        properties.getMerging().forEach(options::merging);
        this.merging = options.build().merging();
    }

    /** What the model is called, before it is loaded, too. */
    String modelName() {
        return isEmbedded() ? EmbeddedModel.shipped().name() : properties.getModel();
    }

    private boolean isEmbedded() {
        return properties.getModel().isBlank();
    }

    /** What suits the model where nothing else is said. */
    Tome4jImageOptions defaults() {
        Tome4jImageOptions.Builder builder = Tome4jImageOptions.builder().model(modelName());
        if (isEmbedded()) {
            EmbeddedModel model = EmbeddedModel.shipped();
            builder.steps(model.steps())
                    .guidanceScale(model.guidanceScale())
                    .width(model.width())
                    .height(model.height());
        }
        return builder.build();
    }

    /**
     * The pipeline, loaded if it was not yet.
     *
     * @throws TomeException if it cannot be had or loaded; the next call tries again
     */
    @Override
    public synchronized StableDiffusionPipeline get() {
        if (closed) {
            throw new IllegalStateException("The application is closed");
        }
        if (loaded == null) {
            try {
                loaded = load();
                failure = "";
            } catch (TomeException e) {
                failure = String.valueOf(e.getMessage());
                throw e;
            }
        }
        return Objects.requireNonNull(loaded);
    }

    private StableDiffusionPipeline load() {
        String source = isEmbedded() ? EmbeddedModel.shipped().folder().toString() : properties.getModel();
        var pipeline = StableDiffusionPipeline.fromPretrained(source, properties.pipelineOptions());
        merging.filter(ToMeOptions::merges).ifPresent(options -> ToMe.applyPatch(pipeline, options));
        return pipeline;
    }

    /** The pipeline, if somebody has asked for it. */
    Optional<StableDiffusionPipeline> loaded() {
        return Optional.ofNullable(loaded);
    }

    /** Why it could not be loaded when it was last tried; empty if it was not, or could be. */
    String failure() {
        return failure;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (loaded != null) {
            loaded.close();
        }
    }
}
