package io.tome4j.diffusion;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Models that requests name, each loaded where one first does, and kept until one names others. Owns them.
 *
 * @param <M> what they are
 */
final class KeptModels<M> implements AutoCloseable {
    private final Function<String, M> loading;
    private final Consumer<M> closing;
    private final Map<String, M> loaded = new LinkedHashMap<>();

    /**
     * @param loading gives a model by where it is to be had
     * @param closing frees one
     */
    KeptModels(Function<String, M> loading, Consumer<M> closing) {
        this.loading = loading;
        this.closing = closing;
    }

    /** The models wanted, in order; those that are not are freed if any is wanted. */
    List<M> open(List<String> wanted) {
        if (!wanted.isEmpty()) {
            loaded.entrySet().removeIf(entry -> {
                boolean unwanted = !wanted.contains(entry.getKey());
                if (unwanted) {
                    closing.accept(entry.getValue());
                }
                return unwanted;
            });
        }
        List<M> models = new ArrayList<>();
        for (String place : wanted) {
            M model = loaded.get(place);
            if (model == null) {
                model = loading.apply(place);
                loaded.put(place, model);
            }
            models.add(model);
        }
        return models;
    }

    /** One, as far as it is loaded. */
    Optional<M> find(String place) {
        return Optional.ofNullable(loaded.get(place));
    }

    /** All that are loaded. */
    Collection<M> all() {
        return loaded.values();
    }

    @Override
    public void close() {
        loaded.values().forEach(closing);
        loaded.clear();
    }
}
