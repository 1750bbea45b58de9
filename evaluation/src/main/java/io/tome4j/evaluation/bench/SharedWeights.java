package io.tome4j.evaluation.bench;

import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * One set of weights for two models that differ only in how they compute attention. What it holds itself it lets go when it
 * is closed; the models keep what they took.
 */
final class SharedWeights implements Weights.Source, AutoCloseable {
    private final Weights.Source source;
    private final Placement placement;
    private final Map<String, Tensor> loaded = new HashMap<>();

    SharedWeights(Weights.Source source, Placement placement) {
        this.source = source;
        this.placement = placement;
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public long[] shape(String name) {
        return source.shape(name);
    }

    @Override
    public boolean isShared() {
        return true;
    }

    /** In the placement, and convolutions' in the layout that they are computed in. */
    @Override
    public Tensor load(String name) {
        return new Tensor(loaded.computeIfAbsent(name, this::place));
    }

    private Tensor place(String name) {
        try (var scope = TensorScope.open()) {
            Tensor placed = source.load(name)
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
