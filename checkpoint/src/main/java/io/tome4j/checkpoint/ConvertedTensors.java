package io.tome4j.checkpoint;

import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors that are stored under other names and in other forms than they are asked for: a linear layer as a 1x1
 * convolution, three layers as one. Each is converted when it is loaded, so that no more than one is held twice. Errors
 * name a tensor as it is stored, because that is what its file can be searched for.
 */
public final class ConvertedTensors implements StoredTensors {
    /** How a tensor is stored, against how it is asked for. */
    public enum Form {
        /** Just so. */
        SAME,
        /** Rows as columns. */
        TRANSPOSED,
        /** With two sizes of 1 at the end: a linear layer as a 1x1 convolution. */
        WITHOUT_KERNEL,
        /** As the first third of a larger one. */
        FIRST_THIRD,
        /** As the second third. */
        SECOND_THIRD,
        /** As the last third. */
        LAST_THIRD;

        /** The sizes it is asked for in; those it has where it is not stored in this form. */
        private long[] shape(long[] stored) {
            boolean isStoredSo =
                    switch (this) {
                        case SAME -> false;
                        case TRANSPOSED -> stored.length == 2;
                        case WITHOUT_KERNEL -> stored.length == 4 && stored[2] == 1 && stored[3] == 1;
                        case FIRST_THIRD, SECOND_THIRD, LAST_THIRD -> stored.length > 0 && stored[0] % 3 == 0;
                    };
            if (!isStoredSo) {
                return stored;
            }
            long[] shape = Arrays.copyOf(stored, this == WITHOUT_KERNEL ? 2 : stored.length);
            if (this == TRANSPOSED) {
                shape[0] = stored[1];
                shape[1] = stored[0];
            } else if (this != WITHOUT_KERNEL) {
                shape[0] = stored[0] / 3;
            }
            return shape;
        }

        /** In memory of its own: models take it as it is. */
        private Tensor of(Tensor stored) {
            long[] sizes = Tensors.shape(stored);
            long[] shape = shape(sizes);
            return switch (this) {
                case SAME -> stored;
                case TRANSPOSED -> stored.t().contiguous();
                case WITHOUT_KERNEL -> stored.view(shape);
                case FIRST_THIRD -> Tensors.slice(stored, 0, 0, shape[0]).clone();
                case SECOND_THIRD ->
                    Tensors.slice(stored, 0, shape[0], 2 * shape[0]).clone();
                case LAST_THIRD ->
                    Tensors.slice(stored, 0, 2 * shape[0], 3 * shape[0]).clone();
            };
        }
    }

    /**
     * Where a tensor comes from.
     *
     * @param name the stored tensor's
     */
    public record Stored(String name, Form form) {
        /** A tensor that is stored as it is asked for. */
        public static Stored same(String name) {
            return new Stored(name, Form.SAME);
        }
    }

    private final StoredTensors source;
    private final Map<String, Stored> stored;

    /**
     * @param stored by the name that a tensor is asked by; what is not among them cannot be
     */
    public ConvertedTensors(StoredTensors source, Map<String, Stored> stored) {
        this.source = source;
        this.stored = new LinkedHashMap<>(stored);
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(stored.keySet());
    }

    @Override
    public long[] shape(String name) {
        Stored from = from(name);
        return from.form().shape(source.shape(from.name()));
    }

    @Override
    public Tensor load(String name) {
        Stored from = from(name);
        try (var scope = TensorScope.open()) {
            return scope.release(from.form().of(source.load(from.name())));
        }
    }

    @Override
    public boolean isShared() {
        return source.isShared();
    }

    @Override
    public String origin(String name) {
        Stored from = stored.get(name);
        return source.origin(from == null ? name : from.name());
    }

    private Stored from(String name) {
        Stored from = stored.get(name);
        if (from == null) {
            throw new IllegalArgumentException("There is no tensor '" + name + "' in " + origin(name));
        }
        return from;
    }
}
