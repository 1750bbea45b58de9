package io.tome4j.evaluation.bench;

import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The benchmark: seconds a denoising step of a UNet for each size, batch and variant.
 *
 * <pre>{@code
 * try (BenchModel model = BenchModel.sd15(placement)) {
 *     BenchReport report = Benchmark.of(model, settings).within(Duration.ofMinutes(10)).run();
 *     System.out.println(BenchFormat.MARKDOWN.format(report));
 * }
 * }</pre>
 */
public final class Benchmark {
    private final BenchModel model;
    private final BenchSettings settings;
    private final BenchListener listener;
    private final Optional<Duration> budget;
    private final Optional<Path> log;

    private Benchmark(
            BenchModel model,
            BenchSettings settings,
            BenchListener listener,
            Optional<Duration> budget,
            Optional<Path> log) {
        this.model = model;
        this.settings = settings;
        this.listener = listener;
        this.budget = budget;
        this.log = log;
    }

    /**
     * A benchmark without a limit of time that keeps its results in memory.
     *
     * @throws IllegalArgumentException if the model is in another placement than the settings say
     */
    public static Benchmark of(BenchModel model, BenchSettings settings) {
        if (!model.placement().equals(settings.placement())) {
            throw new IllegalArgumentException(
                    "The model is in " + model.placement() + ", and the settings say " + settings.placement());
        }
        return new Benchmark(
                model, settings.resolvedFor(model), BenchListener.SILENT, Optional.empty(), Optional.empty());
    }

    /** The same, telling how it goes on. */
    public Benchmark listener(BenchListener value) {
        return new Benchmark(model, settings, value, budget, log);
    }

    /** The same, dropping cells that would not end in time. The first cell is always measured. */
    public Benchmark within(Duration value) {
        return new Benchmark(model, settings, listener, Optional.of(value), log);
    }

    /** The same, keeping finished cells in a file, and going on where the file ends if it exists. */
    public Benchmark keptIn(Path file) {
        return new Benchmark(model, settings, listener, budget, Optional.of(file));
    }

    /**
     * Measures.
     *
     * @throws TomeException if the file belongs to another benchmark, or cannot be read or written
     * @throws java.util.concurrent.CancellationException if the listener stopped it
     */
    public BenchReport run() {
        Machine machine = Machine.here(settings.placement());
        ResultLog results =
                log.map(file -> ResultLog.open(file, settings, machine)).orElseGet(ResultLog::inMemory);
        OptionalLong nanos =
                budget.map(duration -> OptionalLong.of(duration.toNanos())).orElse(OptionalLong.empty());
        if (!results.finished().isEmpty()) {
            listener.note("Going on: " + results.finished().size() + " cells are in " + log.orElse(Path.of("")));
        }
        model.build(settings.variants());
        List<CellResult> cells = new Bench(
                        settings, new UNetMeasurer(model, settings), results, listener, nanos, System::nanoTime)
                .run();
        return new BenchReport(machine, settings, cells, BenchReport.now());
    }
}
