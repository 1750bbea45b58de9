package io.tome4j.models.singlefile;

import io.tome4j.tensor.StoredTensors;
import java.util.stream.Stream;

/**
 * The names and shapes of the tensors whose names begin with a prefix, without it; nothing is loaded.
 *
 * @param prefix such as {@code model.diffusion_model.}; empty for all tensors
 */
record TensorView(StoredTensors tensors, String prefix) {
    boolean has(String name) {
        return tensors.has(prefix + name);
    }

    /** The place below a part. */
    TensorView below(String name) {
        return new TensorView(tensors, prefix + name + ".");
    }

    /** A tensor's size along an axis; 0 where there is no such tensor or axis. */
    int size(String name, int axis) {
        if (!has(name)) {
            return 0;
        }
        long[] shape = tensors.shape(prefix + name);
        return axis < shape.length ? (int) shape[axis] : 0;
    }

    /** How many sizes a tensor has; 0 where there is none. */
    int dimensions(String name) {
        return has(name) ? tensors.shape(prefix + name).length : 0;
    }

    /** How many parts of a number, from 0 on, have a tensor: {@code count("block.%d.weight")}. */
    int count(String pattern) {
        int count = 0;
        while (has(pattern.replace("%d", Integer.toString(count)))) {
            count++;
        }
        return count;
    }

    /** The names, with the prefix. */
    Stream<String> names() {
        return tensors.names().stream().filter(name -> name.startsWith(prefix));
    }
}
