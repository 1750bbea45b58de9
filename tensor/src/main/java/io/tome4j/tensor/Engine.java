package io.tome4j.tensor;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch_cuda;
import org.jspecify.annotations.Nullable;

/**
 * libtorch in this process, set up once, the first time anything needs it. Set up here rather than by start-up flags,
 * so that an application that embeds tome4j gets the same:
 *
 * <ol>
 *   <li>JavaCPP's own limit on native memory is lifted: its default (four times the Java heap) knows nothing of models.
 *   <li>malloc keeps its memory: by default glibc maps every large tensor anew and gives it back, and the page faults
 *       cost more than the arithmetic (factor 20 on element-wise operations of 40 MB).
 *   <li>Idle threads of libgomp sleep sooner; {@code GOMP_SPINCOUNT} or {@code OMP_WAIT_POLICY} override that.
 *   <li>The native libraries are loaded, and a failure is explained.
 *   <li>OpenBLAS is held to one thread where oneDNN does the linear layers, for the whole process; {@code
 *       OPENBLAS_NUM_THREADS} overrides that.
 * </ol>
 *
 * <p>Threads: as many as libtorch chooses (the physical cores), or {@code OMP_NUM_THREADS}.
 */
public final class Engine {
    private final boolean allocatorTuned;
    private final boolean cpuHasBf16;
    private final @Nullable OneDnn oneDnn;

    private Engine() {
        AddressSpace.requireRoomForLibtorch(AddressSpace.free());
        UnpackFolder.choose();
        JavaCppLimits.lift();
        this.allocatorTuned = Glibc.tuneAllocator();
        Glibc.shortenSpinning();
        load();
        this.cpuHasBf16 = detectBf16();
        this.oneDnn = OneDnn.find();
        if (oneDnn != null) {
            holdOpenBlasToOneThread();
        }
    }

    /** Made when first needed, of as many threads as libtorch had then: a small run starts none. */
    private static final class LazyWorkers {
        static final Workers WORKERS = new Workers(torch.get_num_threads());
    }

    /** The engine or why there is none, the same for everyone who asks. */
    private static final class Holder {
        static final @Nullable Engine ENGINE;
        static final @Nullable TomeException FAILURE;

        static {
            Engine engine = null;
            TomeException failure = null;
            try {
                engine = Uninterrupted.get(Engine::new);
            } catch (TomeException e) {
                failure = e;
            } catch (LinkageError e) {
                failure = Natives.failure(e);
            } catch (RuntimeException e) {
                failure = new TomeException("libtorch could not be started: " + e, e);
            }
            ENGINE = engine;
            FAILURE = failure;
        }
    }

    /**
     * The engine, started if it was not yet.
     *
     * @throws TomeException if the native libraries cannot be loaded
     */
    public static Engine start() {
        if (Holder.ENGINE == null) {
            throw Objects.requireNonNull(Holder.FAILURE);
        }
        return Holder.ENGINE;
    }

    /**
     * OpenBLAS has threads of its own, which spin for a while after each product and take the cores from libtorch's: fp32
     * attention, which calls it from each of libtorch's threads, takes five times as long on two cores. Where oneDNN does
     * the linear layers, OpenBLAS is left with what is spread over threads by us or by libtorch.
     */
    private static void holdOpenBlasToOneThread() {
        if (System.getenv("OPENBLAS_NUM_THREADS") != null) {
            return; // the user has decided
        }
        try {
            NativeLibrary.getInstance(Loader.load(torch.class))
                    .getFunction("openblas_set_num_threads")
                    .invokeVoid(new Object[] {1});
        } catch (UnsatisfiedLinkError e) {
            // another BLAS
        }
    }

    private static void load() {
        try {
            Loader.load(torch.class);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            throw Natives.failure(e);
        }
    }

    /** The first line of a libtorch message: what follows it is a native stack trace. */
    public static String firstLine(String message) {
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    private static boolean detectBf16() {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        try {
            if (Files.isReadable(cpuinfo)) {
                String flags = Files.readString(cpuinfo);
                return flags.contains("avx512_bf16") || flags.contains("amx_bf16");
            }
        } catch (IOException e) {
            // no flags, no bf16: fp32 is right everywhere
        }
        return false;
    }

    /** Whether this CPU has instructions for bf16. */
    public boolean cpuHasBf16() {
        return cpuHasBf16;
    }

    /** Whether the natives on the class path know CUDA. */
    public boolean cudaNatives() {
        return Context.hasCUDART(); // hasCUDA asks for a device, too
    }

    /** Whether a CUDA device can be used. */
    public boolean cudaAvailable() {
        return cudaNatives() && torch.cuda_is_available();
    }

    /**
     * Has the calling thread compute on another CUDA device than the first: what it loads lies there, and whatever thread
     * uses that has to make the same call before.
     *
     * @param index from 0
     * @throws TomeException if there is no such device
     */
    public void useCudaDevice(int index) {
        int devices = cudaAvailable() ? torch_cuda.device_count() : 0;
        if (index < 0 || index >= devices) {
            throw new TomeException("There is no CUDA device " + index + ": this machine has " + devices
                    + " that can be used" + (cudaNatives() ? "." : "; the natives on the class path know none."));
        }
        torch_cuda.set_device((byte) index);
    }

    /** Threads that one operation uses. */
    public int threads() {
        return torch.get_num_threads();
    }

    /** Kernels for weights laid out once, or null where this placement has none. */
    @Nullable
    OneDnn oneDnn(Placement placement) {
        boolean dtype = placement.dtype() == DType.FP32 || (placement.dtype() == DType.BF16 && cpuHasBf16);
        return placement.device() == ComputeDevice.CPU && dtype ? oneDnn : null;
    }

    /** Threads for chains of operations; as many as {@link #threads()}. */
    public Workers workers() {
        return LazyWorkers.WORKERS;
    }

    /** What {@link #describe(Placement, AttentionKernel)} says of the default kernel. */
    public String describe(Placement placement) {
        return describe(placement, AttentionKernel.EFFICIENT);
    }

    /**
     * One line that says what computes: engine, device, dtype, threads, attention and convolution where there is a choice, and what of
     * the set-up could not be had.
     */
    public String describe(Placement placement, AttentionKernel attention) {
        StringBuilder line = new StringBuilder();
        line.append("PyTorch ").append(pytorchVersion());
        line.append(", ").append(placement.device().name().toLowerCase(Locale.ROOT));
        if (placement.device() == ComputeDevice.CPU) {
            line.append(" (").append(torch.get_cpu_capability().getString()).append(cpuHasBf16 ? ", bf16)" : ")");
        }
        line.append(", ").append(placement.dtype().name().toLowerCase(Locale.ROOT));
        line.append(", ").append(threads()).append(threads() == 1 ? " thread" : " threads");
        if (placement.device() == ComputeDevice.CPU && placement.dtype() == DType.BF16) {
            line.append(", attention: ").append(attention.describe());
            line.append(", convolution: ").append(placement.convolution().describe());
        }
        if (Pointer.maxPhysicalBytes() > 0) {
            line.append("; JavaCPP limits native memory to ")
                    .append(Pointer.maxPhysicalBytes() >> 20)
                    .append(" MB (-Dorg.bytedeco.javacpp.maxPhysicalBytes=0 lifts it)");
        }
        if (placement.device() == ComputeDevice.CPU && placement.dtype() == DType.FP16) {
            line.append("; fp16 is slow on a CPU, bf16 or fp32 is not");
        }
        if (!allocatorTuned && Platform.isLinux()) {
            line.append("; malloc is not tuned");
        }
        return line.toString();
    }

    /** The presets' version without the part that JavaCPP adds: {@code 2.10.0-1.5.13} is PyTorch 2.10.0. */
    public static String pytorchVersion() {
        try {
            return Loader.getVersion("org.bytedeco", "pytorch").replaceFirst("-.*", "");
        } catch (IOException e) {
            return "of an unknown version";
        }
    }
}
