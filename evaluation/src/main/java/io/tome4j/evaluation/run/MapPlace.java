package io.tome4j.evaluation.run;

import io.tome4j.tensor.OptionException;
import java.util.Optional;

/**
 * Where a merge map is taken.
 *
 * @param block a block's name in the model; empty for {@link MergeRecorder#usualBlock}
 * @param step the step, from 0
 */
public record MapPlace(Optional<String> block, int step) {
    public MapPlace {
        if (step < 0) {
            throw new OptionException("{map_step} is " + (step + 1) + ": steps are counted from 1");
        }
    }

    /** The middle one of so many steps, in the block that shows most. */
    public static MapPlace middle(int steps) {
        return new MapPlace(Optional.empty(), (steps - 1) / 2);
    }
}
