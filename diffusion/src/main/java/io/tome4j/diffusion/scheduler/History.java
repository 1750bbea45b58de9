package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.TensorScope;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.bytedeco.pytorch.Tensor;

/**
 * The last few tensors of a run, newest first. It keeps copies, so that a caller may reuse its buffers, and frees what
 * falls off the end.
 */
final class History implements AutoCloseable {
    private final int capacity;
    private final Deque<Tensor> newestFirst = new ArrayDeque<>();

    History(int capacity) {
        this.capacity = capacity;
    }

    void push(Tensor tensor) {
        try (var scope = TensorScope.open()) {
            newestFirst.addFirst(scope.retain(tensor.clone()));
        }
        while (newestFirst.size() > capacity) {
            newestFirst.removeLast().close();
        }
    }

    /** What was pushed {@code back} pushes before the newest (0). */
    Tensor latest(int back) {
        Iterator<Tensor> tensors = newestFirst.iterator();
        for (int i = 0; i < back; i++) {
            tensors.next();
        }
        return tensors.next();
    }

    int size() {
        return newestFirst.size();
    }

    /** Frees all; it can be filled again. */
    @Override
    public void close() {
        newestFirst.forEach(Tensor::close);
        newestFirst.clear();
    }
}
