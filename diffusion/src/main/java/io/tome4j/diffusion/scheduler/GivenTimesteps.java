package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import java.util.Arrays;
import java.util.List;

/**
 * A caller's own timesteps, such as those that a model was distilled at.
 *
 * @param values falling; empty for none
 */
record GivenTimesteps(List<Integer> values) {
    GivenTimesteps {
        values = List.copyOf(values);
    }

    /** Reads {@code timesteps}, which {@link SchedulerSettings} have put there. */
    static GivenTimesteps read(Config config) {
        int[] given = config.has(TimestepSpacing.TIMESTEPS) ? config.integers(TimestepSpacing.TIMESTEPS) : new int[0];
        return new GivenTimesteps(Arrays.stream(given).boxed().toList());
    }

    boolean isPresent() {
        return !values.isEmpty();
    }

    /**
     * The timesteps of a run of as many steps.
     *
     * @throws OptionException if they are more or fewer, or the model knows one of them not
     */
    int[] positions(int trained, int steps) {
        if (values.size() != steps) {
            throw new OptionException("{timesteps} are " + values.size() + ", and these are " + steps + " steps");
        }
        for (int timestep : values) {
            if (timestep >= trained) {
                throw new OptionException(
                        "{timesteps} has " + timestep + ", and the model knows 0 to " + (trained - 1));
            }
        }
        return values.stream().mapToInt(Integer::intValue).toArray();
    }
}
