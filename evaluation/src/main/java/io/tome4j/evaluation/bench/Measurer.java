package io.tome4j.evaluation.bench;

import java.util.OptionalLong;

/** Runs denoising steps. */
interface Measurer {
    /** A cell needs more memory than there is. The message says how much, as far as that is known. */
    final class DoesNotFitException extends Exception {
        private static final long serialVersionUID = 1L;

        DoesNotFitException(String message) {
            super(message);
        }
    }

    /**
     * What a first step showed.
     *
     * @param seconds how long it took; the mean of an interval where features are reused
     * @param peakBytes the most memory in use meanwhile; empty if that is not known
     */
    record FirstStep(double seconds, OptionalLong peakBytes) {}

    /** How much work a step of this cell is, in units of its own; the mean of an interval where features are reused. */
    double work(Cell cell);

    /** Bytes that a step of this cell needs besides the model, roughly. */
    long bytes(Cell cell);

    /**
     * Runs one step that is not timed for the result, or one interval of steps that share features.
     *
     * @throws DoesNotFitException if there is too little memory; best found out before the step
     */
    FirstStep warmUp(Cell cell) throws DoesNotFitException;

    /**
     * Runs the settings' number of steps, in whole intervals.
     *
     * @return seconds a step
     * @throws DoesNotFitException if there is too little memory after all
     */
    double measure(Cell cell) throws DoesNotFitException;
}
