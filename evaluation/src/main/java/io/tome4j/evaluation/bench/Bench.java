package io.tome4j.evaluation.bench;

import io.tome4j.evaluation.bench.Measurer.DoesNotFitException;
import io.tome4j.evaluation.bench.Measurer.FirstStep;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/**
 * Measures the cells of a plan, within a budget of time.
 *
 * <ol>
 *   <li>Cells for which the time left will not do are dropped, by what cells before them took for their work.
 *   <li>Each cell of a group runs one step to warm up, those that need least memory first; there its peak is taken.
 *   <li>The cells of the group are timed in turns, each turn beginning with another one, until all repetitions are done or
 *       the time is up.
 *   <li>The group's results are kept; a run that is cut off measures again only the group it was in.
 * </ol>
 */
final class Bench {
    private static final double NANOS = 1e9;
    private static final String NO_TIME = "budget";

    private final BenchSettings settings;
    private final Measurer measurer;
    private final ResultLog log;
    private final BenchListener listener;
    private final LongSupplier nanoTime;
    private final long deadline;
    private final Map<Variant, Double> secondsPerWork = new HashMap<>();
    private boolean timedAnything;

    /**
     * @param budgetNanos how long to measure; what runs is not cut off, nor is the first cell ever dropped
     * @param nanoTime the clock
     */
    Bench(
            BenchSettings settings,
            Measurer measurer,
            ResultLog log,
            BenchListener listener,
            OptionalLong budgetNanos,
            LongSupplier nanoTime) {
        this.settings = settings;
        this.measurer = measurer;
        this.log = log;
        this.listener = listener;
        this.nanoTime = nanoTime;
        this.deadline = budgetNanos.isPresent() ? nanoTime.getAsLong() + budgetNanos.getAsLong() : Long.MAX_VALUE;
    }

    /**
     * @return a result for each cell of the plan, in its order
     * @throws CancellationException if the listener stopped it; finished groups are in the log
     */
    List<CellResult> run() {
        List<CellResult> all = new ArrayList<>();
        log.finished().forEach(this::learn);
        timedAnything = !secondsPerWork.isEmpty();
        for (Plan.Group group : Plan.of(settings)) {
            List<CellResult> results = new ArrayList<>();
            List<Cell> open = new ArrayList<>();
            for (Cell cell : group.cells()) {
                log.find(cell).ifPresentOrElse(results::add, () -> open.add(cell));
            }
            List<CellResult> fresh = measure(open);
            fresh.forEach(listener::finished);
            results.addAll(fresh);
            results.sort(Comparator.comparing(result -> group.cells().indexOf(result.cell())));
            all.addAll(results);
        }
        return all;
    }

    /** A cell that has warmed up, and what was timed of it. */
    private record Running(Cell cell, FirstStep first, List<Double> samples) {
        CellResult result() {
            return samples.isEmpty()
                    ? CellResult.dropped(cell, NO_TIME)
                    : CellResult.measured(cell, samples, first.peakBytes());
        }
    }

    private List<CellResult> measure(List<Cell> cells) {
        List<CellResult> results = new ArrayList<>();
        List<Running> running = warmUp(affordable(cells, results), results);
        time(running, results);
        running.forEach(cell -> results.add(cell.result()));
        results.forEach(this::learn);
        log.add(results.stream()
                .filter(result -> result.status() != CellResult.Status.DROPPED)
                .toList());
        results.sort(Comparator.comparing(result -> cells.indexOf(result.cell())));
        return results;
    }

    /** Those cells, in their order, for which a step to warm up and one repetition end in time; drops the others. */
    private List<Cell> affordable(List<Cell> cells, List<CellResult> results) {
        List<Cell> affordable = new ArrayList<>();
        double left = secondsLeft();
        for (Cell cell : cells) {
            Variant variant = cell.variant();
            double needed = expectedSeconds(cell) * (variant.reuseEvery() + variant.wholeIntervals(settings.steps()));
            boolean veryFirst = secondsPerWork.isEmpty() && affordable.isEmpty();
            if (veryFirst || needed <= left) {
                affordable.add(cell);
                left -= needed;
            } else {
                results.add(CellResult.dropped(cell, NO_TIME));
            }
        }
        return affordable;
    }

    /** Small needs first: the allocator then keeps the largest, and no timed step has to map its memory. */
    private List<Running> warmUp(List<Cell> cells, List<CellResult> results) {
        List<Cell> order = new ArrayList<>(cells);
        order.sort(Comparator.comparingLong(measurer::bytes));
        List<Running> running = new ArrayList<>();
        for (Cell cell : order) {
            requireToGoOn();
            try {
                FirstStep step = measurer.warmUp(cell);
                running.add(new Running(cell, step, new ArrayList<>()));
                secondsPerWork.put(cell.variant(), step.seconds() / measurer.work(cell));
            } catch (DoesNotFitException e) {
                results.add(CellResult.oom(cell, String.valueOf(e.getMessage())));
            }
        }
        running.sort(Comparator.comparing(cell -> cells.indexOf(cell.cell())));
        return running;
    }

    /** Takes the cells in turns; those that turn out not to fit go from the list to the results. */
    private void time(List<Running> running, List<CellResult> results) {
        for (int round = 0; round < settings.repeats(); round++) {
            List<Running> turn = new ArrayList<>(running);
            Collections.rotate(turn, -round);
            for (Running cell : turn) {
                if (!inTime(cell)) {
                    continue;
                }
                requireToGoOn();
                try {
                    cell.samples().add(measurer.measure(cell.cell()));
                    timedAnything = true;
                } catch (DoesNotFitException e) {
                    running.remove(cell);
                    results.add(CellResult.oom(cell.cell(), String.valueOf(e.getMessage())));
                }
            }
        }
    }

    /** The very first cell gets its one sample whatever it takes. */
    private boolean inTime(Running cell) {
        List<Double> taken = cell.samples();
        double expected = taken.isEmpty() ? cell.first().seconds() : taken.get(taken.size() - 1);
        return !timedAnything || expected * cell.cell().variant().wholeIntervals(settings.steps()) <= secondsLeft();
    }

    private void learn(CellResult result) {
        result.seconds()
                .ifPresent(
                        seconds -> secondsPerWork.put(result.cell().variant(), seconds / measurer.work(result.cell())));
    }

    /** By its own variant's pace, or the slowest if that has none yet; 0 before anything was measured. */
    private double expectedSeconds(Cell cell) {
        double slowest = secondsPerWork.values().stream()
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
        return measurer.work(cell) * secondsPerWork.getOrDefault(cell.variant(), slowest);
    }

    private double secondsLeft() {
        return deadline == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : (deadline - nanoTime.getAsLong()) / NANOS;
    }

    private void requireToGoOn() {
        if (!listener.goOn()) {
            throw new CancellationException("Stopped between two steps");
        }
    }
}
