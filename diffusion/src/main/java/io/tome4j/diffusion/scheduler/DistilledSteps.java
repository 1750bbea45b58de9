package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;

/**
 * The timesteps that a model was distilled at (arXiv 2310.04378, section 4.3), of which a run takes some.
 *
 * @param count how many there are
 * @param distance between two of them
 * @param trained the number of timesteps of the noise schedule
 * @param given the caller's own timesteps, which need be none of them; empty for none
 */
record DistilledSteps(int count, int distance, int trained, GivenTimesteps given) {
    /** Reads {@code original_inference_steps} and the caller's timesteps. */
    static DistilledSteps read(Config config, int trained) {
        int count = config.integer("original_inference_steps", 50);
        if (count < 1 || count > trained) {
            throw config.unsupported("original_inference_steps", "1 to " + trained);
        }
        return new DistilledSteps(count, trained / count, trained, GivenTimesteps.read(config));
    }

    /**
     * The timesteps of a run, falling, spread evenly over those below a share of the noise; of the caller's the last share.
     *
     * @throws TomeException if there are fewer than {@code steps}
     * @throws OptionException if the strength is out of range, or leaves fewer than {@code steps}
     */
    int[] positions(String scheduler, int steps, double strength) {
        if (given.isPresent()) {
            int[] positions = given.positions(trained, steps);
            return Arrays.copyOfRange(positions, steps - Strength.steps(steps, strength), steps);
        }
        if (steps > count) {
            throw new TomeException("The scheduler '" + scheduler + "' cannot run " + steps
                    + " steps: the model was distilled with " + count + " (original_inference_steps), so take 1 to "
                    + count + ".");
        }
        int left = (int) (count * Strength.within(strength));
        if (left < steps) {
            throw new OptionException("{strength} is " + strength + ": of the " + count
                    + " timesteps that the model was distilled with " + left + " are left; take at most so many steps"
                    + " or a greater strength");
        }
        int[] positions = new int[steps];
        for (int i = 0; i < steps; i++) {
            int skipped = (int) Math.floor(i * (left / (double) steps));
            positions[i] = (left - skipped) * distance - 1;
        }
        return positions;
    }
}
