package io.tome4j.tensor;

import java.util.function.Supplier;

/**
 * Work that an interrupt must not spoil, because it is done once for the whole process: native libraries are unpacked by
 * means that fail in an interrupted thread, and what failed once is not tried again.
 */
public final class Uninterrupted {
    private Uninterrupted() {}

    /** Does the work as if the thread had not been interrupted; it is interrupted again after that. */
    public static <T> T get(Supplier<T> work) {
        boolean interrupted = Thread.interrupted();
        try {
            return work.get();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
