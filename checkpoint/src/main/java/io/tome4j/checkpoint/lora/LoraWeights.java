package io.tome4j.checkpoint.lora;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Weights with LoRAs added: each tensor that they change is summed in fp32 when it is loaded, and rounded once, by who
 * loads it. Which LoRAs these are may change; a model then takes the tensors anew that are others now
 * ({@link Weights#takeAnew}), so that nothing is ever subtracted.
 */
public final class LoraWeights implements Weights.Source {
    private final Weights.Source source;
    private Map<String, List<LoraChange>> changes = Map.of(); // by tensor
    private final Set<String> uncertain = new HashSet<>(); // what a model may have of LoRAs before these

    public LoraWeights(Weights.Source source) {
        this.source = source;
    }

    /**
     * Adds these from now on, and no others.
     *
     * @param wanted the changes by tensor, in the order in which they are made
     * @return the tensors that are others than before, or than those before
     *     {@linkplain #taken a model took all that had changed}
     */
    public Set<String> change(Map<String, List<LoraChange>> wanted) {
        Set<String> names = new HashSet<>(changes.keySet());
        names.addAll(wanted.keySet());
        names.removeIf(name -> Objects.equals(changes.get(name), wanted.get(name)));
        changes = Map.copyOf(wanted);
        uncertain.addAll(names);
        return Set.copyOf(uncertain);
    }

    /** A model has taken all tensors that {@link #change} named. */
    public void taken() {
        uncertain.clear();
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
    public Tensor load(String name, long[] shape) {
        List<LoraChange> of = changes.getOrDefault(name, List.of());
        if (of.isEmpty()) {
            return source.load(name, shape);
        }
        try (var scope = TensorScope.open()) {
            Tensor sum = source.load(name, shape).to(ScalarType.Float);
            for (LoraChange change : of) {
                sum = change.addedTo(sum);
            }
            return scope.release(sum);
        }
    }

    /** A sum is nobody else's. */
    @Override
    public boolean isShared() {
        return source.isShared();
    }

    @Override
    public String origin(String name) {
        return source.origin(name);
    }
}
