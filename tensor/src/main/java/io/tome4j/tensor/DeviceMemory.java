package io.tome4j.tensor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;

/**
 * How much memory is free, and how much a piece of work needs at its highest: on the CPU the resident set of this
 * process, on CUDA what libtorch's allocator handed out.
 */
public final class DeviceMemory {
    private static final byte FIRST_DEVICE = 0;
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path CGROUP = Path.of("/sys/fs/cgroup");
    private static final long SAMPLE_MILLIS = 5;

    private final boolean cuda;

    private DeviceMemory(boolean cuda) {
        this.cuda = cuda;
    }

    /** The memory of the device that a placement names. */
    public static DeviceMemory of(Placement placement) {
        Engine.start();
        return new DeviceMemory(placement.device() == ComputeDevice.CUDA);
    }

    /** Gives back what the allocator keeps for later: the next work maps its memory anew, which costs time. */
    public void releaseUnused() {
        if (cuda) {
            torch.cuda_synchronize();
            torch.emptyCache();
        } else {
            Glibc.trim();
        }
    }

    /** Waits until the device has done what it was given; the CPU always has. */
    public void synchronize() {
        if (cuda) {
            torch.cuda_synchronize();
        }
    }

    /**
     * Bytes that could still be had; on the CPU of the machine, of the control group that this process is in and of its
     * address space, whichever has least. Empty where the system does not tell.
     */
    public OptionalLong available() {
        if (cuda) {
            try (var scope = TensorScope.open()) {
                return OptionalLong.of(torch.getMemoryInfo(FIRST_DEVICE).first());
            } catch (RuntimeException | LinkageError e) {
                return OptionalLong.empty();
            }
        }
        return Stream.of(kilobytes(MEMINFO, "MemAvailable:"), freeInGroup(), AddressSpace.free())
                .flatMapToLong(OptionalLong::stream)
                .min();
    }

    private static OptionalLong freeInGroup() {
        OptionalLong most = bytes(CGROUP.resolve("memory.max"));
        OptionalLong used = bytes(CGROUP.resolve("memory.current"));
        return most.isPresent() && used.isPresent()
                ? OptionalLong.of(most.getAsLong() - used.getAsLong())
                : OptionalLong.empty();
    }

    /** Bytes of memory in the machine; empty where the system does not tell. */
    public static OptionalLong machineTotal() {
        return kilobytes(MEMINFO, "MemTotal:");
    }

    /**
     * Runs a piece of work and watches its memory.
     *
     * @return the most bytes in use meanwhile, with what was in use before; empty where the system does not tell
     */
    public OptionalLong peakOf(Runnable work) {
        if (cuda) {
            return cudaPeakOf(work);
        }
        if (resetHighWater()) {
            work.run();
            return kilobytes(STATUS, "VmHWM:");
        }
        return sampledPeakOf(work);
    }

    private OptionalLong cudaPeakOf(Runnable work) {
        boolean counted = true;
        try {
            torch.resetPeakStats(FIRST_DEVICE);
        } catch (RuntimeException | LinkageError e) {
            counted = false;
        }
        work.run();
        torch.cuda_synchronize();
        try (var scope = TensorScope.open()) {
            if (counted) {
                return OptionalLong.of(
                        torch.getDeviceStats(FIRST_DEVICE).allocated_bytes().peak());
            }
        } catch (RuntimeException | LinkageError e) {
            // the class behind it asks for all of the CUDA bindings, which need not be there
        }
        try (var scope = TensorScope.open()) {
            // What the allocator took it keeps, so what is gone now was the most.
            var info = torch.getMemoryInfo(FIRST_DEVICE);
            return OptionalLong.of(info.second() - info.first());
        } catch (RuntimeException | LinkageError e) {
            return OptionalLong.empty();
        }
    }

    /** Sets the kernel's high-water mark back to what is in use now. */
    private static boolean resetHighWater() {
        try {
            Files.writeString(CLEAR_REFS, "5");
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private static OptionalLong sampledPeakOf(Runnable work) {
        AtomicLong most = new AtomicLong(-1);
        AtomicBoolean done = new AtomicBoolean();
        Thread sampler = new Thread(
                () -> {
                    while (!done.get()) {
                        kilobytes(STATUS, "VmRSS:").ifPresent(now -> most.accumulateAndGet(now, Math::max));
                        try {
                            Thread.sleep(SAMPLE_MILLIS);
                        } catch (InterruptedException e) {
                            return;
                        }
                    }
                },
                "tome-memory");
        sampler.setDaemon(true);
        sampler.start();
        try {
            work.run();
        } finally {
            done.set(true);
        }
        return most.get() < 0 ? OptionalLong.empty() : OptionalLong.of(most.get());
    }

    /** The number after a key in a file of lines such as {@code VmHWM: 1234 kB}, in bytes. */
    private static OptionalLong kilobytes(Path file, String key) {
        try {
            if (!Files.isReadable(file)) {
                return OptionalLong.empty();
            }
            // not readAllLines: files of /proc may hold bytes that are no UTF-8
            String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            return text.lines()
                    .filter(line -> line.startsWith(key))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst();
        } catch (IOException | NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    private static OptionalLong bytes(Path file) {
        try {
            return Files.isReadable(file)
                    ? OptionalLong.of(Long.parseLong(Files.readString(file).strip()))
                    : OptionalLong.empty();
        } catch (IOException | NumberFormatException e) {
            return OptionalLong.empty(); // "max": no limit
        }
    }
}
