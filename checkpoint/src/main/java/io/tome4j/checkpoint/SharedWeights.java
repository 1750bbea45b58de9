package io.tome4j.checkpoint;

import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * One set of weights for several models that differ only in how they compute. What it holds itself it lets go when it is
 * closed; the models keep what they took.
 */
public final class SharedWeights implements Weights.Source, AutoCloseable {
    private final Weights.Source source;
    private final Placement placement;
    private final Map<String, Tensor> loaded = new HashMap<>(); // by name and shape

    /**
     * @param placement the models'
     */
    public SharedWeights(Weights.Source source, Placement placement) {
        this.source = source;
        this.placement = placement;
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public boolean has(String name) {
        return source.has(name);
    }

    @Override
    public boolean isShared() {
        return true;
    }

    /** In the placement, and convolutions' in the layout that they are computed in. */
    @Override
    public Tensor load(String name, long[] shape) {
        return new Tensor(loaded.computeIfAbsent(name + Arrays.toString(shape), key -> place(name, shape)));
    }

    private Tensor place(String name, long[] shape) {
        try (var scope = TensorScope.open()) {
            Tensor placed = source.load(name, shape)
                    .to(placement.torchDevice(), placement.scalarType(), false, true, new MemoryFormatOptional());
            return scope.retain(placed.dim() == 4 ? placed.contiguous(MemoryFormat.ChannelsLast) : placed);
        }
    }

    @Override
    public String origin(String name) {
        return source.origin(name);
    }

    @Override
    public void close() {
        loaded.values().forEach(Tensor::close);
        loaded.clear();
    }
}
