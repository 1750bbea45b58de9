package io.tome4j.evaluation.tune;

import io.tome4j.evaluation.run.Savings;

/** How a search finds out about settings. */
interface Measuring {
    /** Whether the merging of a setting merges any tokens, at the size that is drawn. */
    boolean merges(Savings savings);

    /** Measures a setting. */
    Trial measure(Savings savings);

    /**
     * Seconds that the first image without savings takes: the machine may become slower or quicker.
     *
     * @param time 0 for what it took in the first trial, then 1, 2 and so on to have it made again
     */
    double baselineSeconds(int time);
}
