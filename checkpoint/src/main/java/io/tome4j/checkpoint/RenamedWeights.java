package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors under other names than those they are stored under. Errors about a tensor name it as it is stored, because that
 * is what its file can be searched for.
 */
public final class RenamedWeights implements Weights.Source {
    private final Weights.Source source;
    private final Map<String, String> stored; // by new name

    private RenamedWeights(Weights.Source source, Map<String, String> stored) {
        this.source = source;
        this.stored = stored;
    }

    /**
     * Renames the tensors of a source.
     *
     * @param newName gives each stored name the one to ask by; the same where nothing changes
     * @throws TomeException if two tensors would have one name
     */
    public static RenamedWeights of(Weights.Source source, UnaryOperator<String> newName) {
        Map<String, String> stored = new LinkedHashMap<>();
        for (String name : source.names()) {
            String other = stored.putIfAbsent(newName.apply(name), name);
            if (other != null) {
                throw new TomeException("The tensors '" + other + "' and '" + name + "' in " + source.origin(name)
                        + " are the same part of the model: the file was put together from two that do not belong"
                        + " together.");
            }
        }
        return new RenamedWeights(source, stored);
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(stored.keySet());
    }

    /** Whether a tensor has this name now; one that it had before is gone. */
    @Override
    public boolean has(String name) {
        return stored.containsKey(name) || (!source.names().contains(name) && source.has(name));
    }

    @Override
    public Tensor load(String name, long[] shape) {
        if (!has(name)) {
            throw missing(name);
        }
        return source.load(storedName(name), shape);
    }

    @Override
    public boolean isShared() {
        return source.isShared();
    }

    @Override
    public String origin(String name) {
        return source.origin(storedName(name));
    }

    private String storedName(String name) {
        return stored.getOrDefault(name, name);
    }
}
