package io.tome4j.checkpoint;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.PointerConsumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Tensors over mapped pieces of files. libtorch says when the last handle on such a tensor's memory is gone; only then,
 * and at once rather than at some later garbage collection, is the piece unmapped.
 */
final class FileMapping {
    private static final Map<Long, MappedByteBuffer> MAPPED = new ConcurrentHashMap<>();
    private static final Unmapper UNMAPPER = new Unmapper();
    private static final @Nullable MethodHandle INVOKE_CLEANER = invokeCleaner();

    private FileMapping() {}

    /** A tensor over all of a buffer. It belongs to the scope that is open, and the buffer to it. */
    static Tensor tensor(MappedByteBuffer buffer, long[] shape, ScalarType type) {
        BytePointer pointer = new BytePointer(buffer);
        MAPPED.put(pointer.address(), buffer);
        try {
            return torch.from_blob(pointer, shape, UNMAPPER, new TensorOptions(type));
        } catch (RuntimeException e) {
            unmap(pointer.address());
            throw e;
        }
    }

    /** Pieces that are mapped now. */
    static int live() {
        return MAPPED.size();
    }

    private static void unmap(long address) {
        MappedByteBuffer buffer = MAPPED.remove(address);
        if (buffer != null && INVOKE_CLEANER != null) {
            try {
                INVOKE_CLEANER.invoke((ByteBuffer) buffer);
            } catch (Throwable e) {
                // then the garbage collector will unmap it
            }
        }
    }

    /** What libtorch calls. One for all tensors: JavaCPP has only a few slots for callbacks. */
    private static final class Unmapper extends PointerConsumer {
        Unmapper() {
            retainReference();
        }

        @Override
        public void call(Pointer memory) {
            unmap(memory.address());
        }
    }

    /** {@code sun.misc.Unsafe.invokeCleaner}, the only way that JDK 17 has to unmap a buffer, if it is there. */
    private static @Nullable MethodHandle invokeCleaner() {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe");
            var field = type.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return MethodHandles.lookup()
                    .findVirtual(type, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(field.get(null));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }
}
