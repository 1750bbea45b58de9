package io.tome4j.models.singlefile;

import io.tome4j.tensor.StoredTensors;
import java.util.LinkedHashSet;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** The tensors of two sources that have none in common. */
record JoinedTensors(StoredTensors first, StoredTensors second) implements StoredTensors {
    private StoredTensors of(String name) {
        return second.has(name) ? second : first;
    }

    @Override
    public Set<String> names() {
        Set<String> names = new LinkedHashSet<>(first.names());
        names.addAll(second.names());
        return names;
    }

    @Override
    public boolean has(String name) {
        return first.has(name) || second.has(name);
    }

    @Override
    public long[] shape(String name) {
        return of(name).shape(name);
    }

    @Override
    public Tensor load(String name) {
        return of(name).load(name);
    }

    @Override
    public String origin(String name) {
        return of(name).origin(name);
    }
}
