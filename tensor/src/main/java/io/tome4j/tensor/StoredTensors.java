package io.tome4j.tensor;

import java.util.Arrays;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** Tensors that lie somewhere, in files or in memory, so that their names and shapes are known before they are loaded. */
public interface StoredTensors extends Weights.Source {
    /** The names of all tensors. */
    @Override
    Set<String> names();

    /** The sizes of a tensor that is among {@link #names()}. */
    long[] shape(String name);

    /** Loads a tensor that is among {@link #names()}, of whatever shape; else as {@link #load(String, long[])}. */
    Tensor load(String name);

    @Override
    default Tensor load(String name, long[] shape) {
        if (!has(name)) {
            throw missing(name);
        }
        long[] actual = shape(name);
        if (!Arrays.equals(actual, shape)) {
            throw new TomeException("The tensor '" + name + "' in " + origin(name) + " has the shape "
                    + Arrays.toString(actual) + " where the model's config asks for " + Arrays.toString(shape) + ".");
        }
        return load(name);
    }
}
