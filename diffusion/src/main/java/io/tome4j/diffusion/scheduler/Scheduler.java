package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;

/**
 * How to go from noise to an image: the noise schedule and the solver, with their settings. Immutable, so that one may
 * serve many runs at once; what changes during a run lives in its {@link Trajectory}.
 */
public interface Scheduler {
    /** The name under which {@link Schedulers#named} knows it, as {@code "euler_a"}. */
    String name();

    /**
     * The same scheduler with another share of fresh noise in each step.
     *
     * @param eta from 0 (none: the default) to 1 (as much as there can be)
     * @throws OptionException if it is outside that range, or this scheduler's steps have no such share to choose
     */
    default Scheduler withEta(double eta) {
        if (Eta.within(eta) != 0) {
            throw new OptionException("{eta} is " + eta + ", and the {scheduler} '" + name()
                    + "' has no share of noise to choose: ddim and tcd have");
        }
        return this;
    }

    /**
     * Begins one run.
     *
     * @param steps the number of denoising steps, from 1 to the number of timesteps the model was trained with
     * @return the run, to be closed when done
     * @throws TomeException if {@code steps} is out of range, or the settings allow no run of so many steps
     */
    Trajectory start(int steps);

    /**
     * Begins a run in the middle, as from an image: the last {@code floor(steps * strength)} steps of {@link #start(int)}.
     *
     * @param strength in (0, 1]; 1 is the whole run
     * @throws TomeException as {@link #start(int)}, or if not one step is left
     */
    default Trajectory start(int steps, double strength) {
        int taken = Strength.steps(steps, strength);
        Trajectory whole = start(steps);
        return whole.startingAt((steps - taken) * whole.order());
    }

    /**
     * Finds out whether a strength leaves a step to run.
     *
     * @throws io.tome4j.tensor.OptionException if not; it says the smallest that does
     */
    static void requireStrength(int steps, double strength) {
        Strength.steps(steps, strength);
    }

    /**
     * Begins a run from an image as the pipelines of latent consistency models do: all steps are taken, from a lower noise
     * level. For the schedulers that do not know this it is {@link #start(int, double)}.
     *
     * @throws TomeException as {@link #start(int, double)}
     */
    default Trajectory startSpread(int steps, double strength) {
        return start(steps, strength);
    }
}
