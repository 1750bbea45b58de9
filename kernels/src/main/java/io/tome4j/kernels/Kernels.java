package io.tome4j.kernels;

import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which kernels this machine runs, found out once a process:
 *
 * <ol>
 *   <li>The library is loaded, where there is one for the operating system and the processor.
 *   <li>The CPU is asked for what the kernels need. One with AMX goes without them: there oneDNN's products are faster
 *       than the instructions used here, and nobody has measured the rest.
 *   <li>A small problem is computed and compared with what Java makes of it: a few milliseconds.
 * </ol>
 *
 * <p>Whatever goes wrong, callers compute the portable way. That a library cannot be loaded or computes something else
 * is one line in the log {@code io.tome4j.kernels}; that a machine is another one is not.
 */
public final class Kernels {
    private final Optional<FusedAttention> attention;
    private final Optional<WinogradConvolution> convolution;
    private final String name;

    private Kernels(Optional<FusedAttention> attention, Optional<WinogradConvolution> convolution, String name) {
        this.attention = attention;
        this.convolution = convolution;
        this.name = name;
    }

    private static final class Holder {
        static final Kernels KERNELS = find(NativeLibrary::load, message -> System.getLogger("io.tome4j.kernels")
                .log(System.Logger.Level.WARNING, message));
    }

    /** The kernels of this process. */
    public static Kernels here() {
        return Holder.KERNELS;
    }

    /** Attention, if this machine runs it. */
    public Optional<FusedAttention> attention() {
        return attention;
    }

    /** Convolutions of 3x3, if this machine runs them. */
    public Optional<WinogradConvolution> convolution() {
        return convolution;
    }

    /** What computes attention, for people: {@code avx512_bf16 kernel}, or {@code portable} and why. */
    public String attentionName() {
        return name;
    }

    /** How a library comes into the process. */
    interface Loading {
        void load() throws IOException;
    }

    static Kernels find(Loading library, Consumer<String> log) {
        if (!NativeLibrary.isForThisPlatform()) {
            return portable("portable");
        }
        try {
            library.load();
            Optional<String> missing = missing(NativeCalls.hasAvx512Bf16(), NativeCalls.hasAmxBf16());
            if (missing.isPresent()) {
                return portable("portable (" + missing.get() + ")");
            }
            FusedAttention attention = new FusedAttention();
            WinogradConvolution convolution = new WinogradConvolution();
            if (!SelfTest.passes(attention::attend) || !ConvolutionSelfTest.passes(convolution)) {
                return failed("its self-test gives other results than Java", log);
            }
            return new Kernels(Optional.of(attention), Optional.of(convolution), "avx512_bf16 kernel");
        } catch (IOException | LinkageError | RuntimeException e) {
            return failed(String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given"), log);
        }
    }

    /** Why this CPU does without the kernels, if it does. */
    static Optional<String> missing(boolean avx512Bf16, boolean amxBf16) {
        if (!avx512Bf16) {
            return Optional.of("the CPU has no avx512_bf16");
        }
        return amxBf16 ? Optional.of("the CPU has AMX") : Optional.empty();
    }

    private static Kernels failed(String reason, Consumer<String> log) {
        log.accept("The native kernels cannot be used (" + reason
                + "); attention and convolutions take the portable way.");
        return portable("portable (the native library failed)");
    }

    private static Kernels portable(String name) {
        return new Kernels(Optional.empty(), Optional.empty(), name);
    }
}
