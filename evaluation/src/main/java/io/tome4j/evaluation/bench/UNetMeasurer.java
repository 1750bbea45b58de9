package io.tome4j.evaluation.bench;

import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DeviceMemory;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Runs the steps of a real UNet. */
final class UNetMeasurer implements Measurer {
    private static final double NANOS = 1e9;

    /** Memory that is left to the rest of the machine. */
    private static final long RESERVE = 512L << 20;

    private final BenchSettings settings;
    private final Denoising denoising;
    private final UNetWork work;
    private final DeviceMemory memory;

    UNetMeasurer(BenchModel model, BenchSettings settings) {
        this.settings = settings;
        this.denoising = new Denoising(model, settings.merging());
        this.work = new UNetWork(model.config(), settings.merging(), model.placement());
        this.memory = DeviceMemory.of(model.placement());
    }

    @Override
    public double work(Cell cell) {
        return work.flops(cell);
    }

    @Override
    public long bytes(Cell cell) {
        return work.bytes(cell);
    }

    @Override
    public FirstStep warmUp(Cell cell) throws DoesNotFitException {
        denoising.prepare(cell); // the model counts as memory in use, not as needed by the step
        memory.releaseUnused();
        requireToFit(cell);
        long start = System.nanoTime();
        int steps = cell.variant().reuseEvery(); // so that a step that reuses features has run, too
        OptionalLong peak = orDoesNotFit(() -> memory.peakOf(() -> denoising.run(cell, steps)));
        return new FirstStep((System.nanoTime() - start) / NANOS / steps, peak);
    }

    /** Where memory is promised freely, too large a request is not refused: the process is killed when it is used. */
    private void requireToFit(Cell cell) throws DoesNotFitException {
        if (settings.placement().device() == ComputeDevice.CUDA) {
            return; // there it is refused
        }
        OptionalLong available = memory.available();
        long needed = work.bytes(cell);
        if (available.isPresent() && needed > available.getAsLong() - RESERVE) {
            throw new DoesNotFitException(String.format(
                    Locale.ROOT,
                    "needs about %s besides the model, %s is free",
                    Numbers.bytes(needed),
                    Numbers.bytes(Math.max(0, available.getAsLong()))));
        }
    }

    @Override
    public double measure(Cell cell) throws DoesNotFitException {
        denoising.prepare(cell);
        int steps = cell.variant().wholeIntervals(settings.steps());
        return orDoesNotFit(() -> {
            memory.synchronize();
            long start = System.nanoTime();
            denoising.run(cell, steps);
            memory.synchronize();
            return (System.nanoTime() - start) / NANOS / steps;
        });
    }

    private <T> T orDoesNotFit(Supplier<T> run) throws DoesNotFitException {
        try {
            return run.get();
        } catch (RuntimeException e) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("out of memory") || message.contains("allocate memory")) {
                memory.releaseUnused();
                throw new DoesNotFitException("the allocator has no more");
            }
            throw e;
        }
    }
}
