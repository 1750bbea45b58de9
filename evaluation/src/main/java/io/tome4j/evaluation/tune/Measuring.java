package io.tome4j.evaluation.tune;

import io.tome4j.evaluation.run.Savings;

/** How a search finds out about settings. */
interface Measuring {
    /** Whether the merging of a setting merges any tokens, at the size that is drawn. */
    boolean merges(Savings savings);

    /** Measures a setting. */
    Trial measure(Savings savings);

    /** Measures no savings once more, at the end: the machine may have become slower or quicker since the beginning. */
    Trial measureBaselineAgain();
}
