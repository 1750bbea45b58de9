package io.tome4j.server.queue;

import io.tome4j.diffusion.StableDiffusionPipeline;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The models that can be run, one of which is in memory at a time. All but the list is for the thread that generates. */
public final class ModelShelf {
    private final List<ServedModel> models;
    private final QueueListener listener;
    private volatile Optional<String> loadedName = Optional.empty();
    private @Nullable StableDiffusionPipeline loaded;

    /** @param models at least one, of different names; the first is the one that is run unless another is asked for */
    ModelShelf(List<ServedModel> models, QueueListener listener) {
        this.models = List.copyOf(models);
        this.listener = listener;
    }

    List<ServedModel> models() {
        return models;
    }

    /** The name of the model in memory; empty if none is. */
    Optional<String> loadedName() {
        return loadedName;
    }

    /** The pipeline of a model, loaded in place of another one if it has to be. */
    StableDiffusionPipeline pipeline(ServedModel model) {
        StableDiffusionPipeline there = loaded;
        if (there != null && loadedName.equals(Optional.of(model.name()))) {
            return there;
        }
        unload();
        long start = System.nanoTime();
        StableDiffusionPipeline pipeline = model.loader().get();
        loaded = pipeline;
        loadedName = Optional.of(model.name());
        listener.loaded(model.name(), (System.nanoTime() - start) / 1e9);
        return pipeline;
    }

    void unload() {
        StableDiffusionPipeline there = loaded;
        loaded = null;
        loadedName = Optional.empty();
        if (there != null) {
            there.close();
        }
    }
}
