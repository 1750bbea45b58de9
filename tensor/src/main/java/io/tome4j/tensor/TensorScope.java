package io.tome4j.tensor;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;

/**
 * Owns the native memory made while it is open, on the thread that opened it, and keeps autograd off meanwhile.
 *
 * <p>A method that computes opens a scope and hands its result over to the scope around it; everything else it made is
 * freed at the closing brace:
 *
 * <pre>{@code
 * Tensor forward(Tensor x) {
 *     try (var scope = TensorScope.open()) {
 *         Tensor hidden = first.forward(x);
 *         return scope.release(second.forward(hidden));
 *     }
 * }
 * }</pre>
 *
 * <p>Where no scope is around, the released tensor belongs to the caller, who frees it with {@code close()}.
 */
public final class TensorScope implements AutoCloseable {
    private final @org.jspecify.annotations.Nullable PointerScope outer;
    private final PointerScope inner;
    private final boolean gradWasEnabled;

    private TensorScope() {
        Engine.start();
        this.outer = PointerScope.getInnerScope();
        this.inner = new PointerScope();
        this.gradWasEnabled = GradMode.is_enabled();
        if (gradWasEnabled) {
            GradMode.set_enabled(false);
        }
    }

    /** Opens a scope on this thread; close it with try-with-resources, on the same thread. */
    public static TensorScope open() {
        return new TensorScope();
    }

    /**
     * Hands a tensor made in this scope over to the scope around it (to the caller, if there is none).
     *
     * @return a tensor that outlives this scope: {@code tensor} itself or, where {@code tensor} is only a reference to
     *     another handle (the result of an in-place operation), a handle of its own on the same data
     */
    public Tensor release(Tensor tensor) {
        return handOver(tensor, false);
    }

    /**
     * Keeps a tensor beyond every scope: it lives until its {@code close()} is called.
     *
     * @return the tensor to close later, as for {@link #release}
     */
    public Tensor retain(Tensor tensor) {
        return handOver(tensor, true);
    }

    private Tensor handOver(Tensor tensor, boolean beyondAll) {
        // A reference returned by an in-place operation owns nothing: give it a handle that does.
        Tensor owned = ownsItsHandle(tensor) ? tensor : new Tensor(tensor);
        if (beyondAll || outer == null) {
            owned.retainReference();
        } else {
            outer.attach(owned);
        }
        return owned;
    }

    private static boolean ownsItsHandle(Tensor tensor) {
        return tensor.referenceCount() > 0;
    }

    @Override
    public void close() {
        inner.close();
        if (gradWasEnabled) {
            GradMode.set_enabled(true);
        }
    }

    /** Native objects alive in this process that Java owns: the number that a leak test watches. */
    public static long liveObjects() {
        return Pointer.totalCount();
    }
}
