package io.tome4j.evaluation.bench;

/** Hears how a benchmark goes on. */
public interface BenchListener {
    /** Hears nothing, and never stops anything. */
    BenchListener SILENT = new BenchListener() {};

    /** A cell has its result. */
    default void finished(CellResult result) {}

    /** Something that a user should know, in one line. */
    default void note(String message) {}

    /** Asked between steps: whether to go on. */
    default boolean goOn() {
        return true;
    }
}
