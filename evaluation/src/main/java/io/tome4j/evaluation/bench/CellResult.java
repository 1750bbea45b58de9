package io.tome4j.evaluation.bench;

import io.tome4j.evaluation.Quantiles;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What came of a cell.
 *
 * @param cell which one
 * @param status whether it was measured
 * @param samples seconds a step, one for each repetition, in the order they were taken; empty if it was not measured
 * @param peakBytes the most memory in use during a step, the model included; empty where that is not known
 * @param note why it was not measured; empty if it was
 */
public record CellResult(Cell cell, Status status, List<Double> samples, OptionalLong peakBytes, String note) {
    /** What can become of a cell. */
    public enum Status {
        MEASURED,
        /** It does not fit into memory. */
        OOM,
        /** There was no time left for it. */
        DROPPED
    }

    public CellResult {
        samples = List.copyOf(samples);
        if ((status == Status.MEASURED) == samples.isEmpty()) {
            throw new IllegalArgumentException("A measured cell has samples, and no other has: " + cell);
        }
    }

    static CellResult measured(Cell cell, List<Double> samples, OptionalLong peakBytes) {
        return new CellResult(cell, Status.MEASURED, samples, peakBytes, "");
    }

    static CellResult oom(Cell cell, String why) {
        return new CellResult(cell, Status.OOM, List.of(), OptionalLong.empty(), why);
    }

    static CellResult dropped(Cell cell, String why) {
        return new CellResult(cell, Status.DROPPED, List.of(), OptionalLong.empty(), why);
    }

    /** The median of the samples: seconds a step. */
    public OptionalDouble seconds() {
        return quantile(0.5);
    }

    /**
     * A quantile of the samples, interpolated between neighbours.
     *
     * @param q from 0 (the smallest) to 1 (the largest)
     */
    public OptionalDouble quantile(double q) {
        return samples.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Quantiles.quantile(q, samples));
    }
}
