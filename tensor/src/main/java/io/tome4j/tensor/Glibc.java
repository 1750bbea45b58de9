package io.tome4j.tensor;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;

/** What Linux's libc lets a process set for itself; elsewhere nothing is done. */
final class Glibc {
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_MMAP_THRESHOLD = -3;
    private static final int M_MMAP_MAX = -4;

    private Glibc() {}

    /** The functions of libc that are called. */
    private interface LibC extends Library {
        int mallopt(int parameter, int value);

        int malloc_trim(long pad);

        int setenv(String name, String value, int overwrite);
    }

    /**
     * A thread of libgomp that has nothing to do spins for some milliseconds before it sleeps, so that it takes a core
     * from {@link Workers}. This many turns, about 0.1 ms, still bridge the time between two operations.
     */
    static void shortenSpinning() {
        if (!Platform.isLinux()
                || System.getenv("GOMP_SPINCOUNT") != null
                || System.getenv("OMP_WAIT_POLICY") != null) {
            return; // another OpenMP, or the user has decided
        }
        try {
            Native.load("c", LibC.class).setenv("GOMP_SPINCOUNT", "30000", 1); // read when libgomp is loaded
        } catch (UnsatisfiedLinkError e) {
            // it only takes longer
        }
    }

    /**
     * Has malloc keep its memory: mapping every large tensor anew costs more in page faults than its arithmetic.
     *
     * @return whether it does
     */
    static boolean tuneAllocator() {
        if (!Platform.isLinux()
                || System.getenv("MALLOC_MMAP_THRESHOLD_") != null
                || System.getenv("MALLOC_TRIM_THRESHOLD_") != null) {
            return false; // another libc, or the user has decided
        }
        try {
            LibC libc = Native.load("c", LibC.class);
            // glibc caps the threshold at 32 MB, so mapping is switched off instead.
            return libc.mallopt(M_MMAP_MAX, 0) == 1
                    && libc.mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1
                    && libc.mallopt(M_TRIM_THRESHOLD, Integer.MAX_VALUE) == 1;
        } catch (UnsatisfiedLinkError e) {
            return false; // musl has no mallopt
        }
    }

    /** Gives back what malloc keeps for later: the next work maps its memory anew, which costs time. */
    static void trim() {
        if (!Platform.isLinux()) {
            return;
        }
        try {
            Native.load("c", LibC.class).malloc_trim(0);
        } catch (UnsatisfiedLinkError e) {
            // musl keeps little
        }
    }
}
