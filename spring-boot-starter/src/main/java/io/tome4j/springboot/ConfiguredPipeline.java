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

/**
 * The pipeline of the image models: the application's own, if it has one, or what the properties describe, which is loaded by
 * who asks first and closed with the application.
 */
final class ConfiguredPipeline implements Supplier<StableDiffusionPipeline>, AutoCloseable {
    private static final String OWN = "the application's own";

    private final Tome4jProperties properties;
    private final Optional<Supplier<StableDiffusionPipeline>> own;
    private final Optional<ToMeOptions> merging;
    private volatile @Nullable StableDiffusionPipeline loaded;
    private volatile String failure = "";
    private boolean closed;

    /** @param own the application's pipeline, which stays the application's to close */
    ConfiguredPipeline(Tome4jProperties properties, Optional<Supplier<StableDiffusionPipeline>> own) {
        this.properties = properties;
        this.own = own;
        Tome4jImageOptions.Builder options = Tome4jImageOptions.builder();
        properties.getMerging().forEach(options::merging);
        this.merging = options.build().merging();
    }

    /** What the model is called, before it is loaded, too. */
    String modelName() {
        if (own.isPresent()) {
            return loaded().map(StableDiffusionPipeline::modelName).orElse(OWN);
        }
        return isEmbedded() ? EmbeddedModel.shipped().name() : properties.getModel();
    }

    private boolean isEmbedded() {
        return properties.getModel().isBlank();
    }

    /** What suits the model where nothing else is said. */
    Tome4jImageOptions defaults() {
        if (own.isPresent()) {
            return Tome4jImageOptions.builder().build();
        }
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
            } catch (RuntimeException | LinkageError e) {
                failure = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
                throw e;
            }
        }
        return Objects.requireNonNull(loaded);
    }

    private StableDiffusionPipeline load() {
        StableDiffusionPipeline pipeline = own.map(Supplier::get).orElseGet(this::described);
        merging.filter(ToMeOptions::merges).ifPresent(options -> ToMe.applyPatch(pipeline, options));
        return pipeline;
    }

    private StableDiffusionPipeline described() {
        String source = isEmbedded() ? EmbeddedModel.shipped().folder().toString() : properties.getModel();
        return StableDiffusionPipeline.fromPretrained(source, properties.pipelineOptions());
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
        if (loaded != null && own.isEmpty()) {
            loaded.close();
        }
    }
}
