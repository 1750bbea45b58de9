package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.TomeException;

/**
 * How to go from noise to an image: the noise schedule and the solver, with their settings. Immutable, so that one may
 * serve many runs at once; what changes during a run lives in its {@link Trajectory}.
 */
public interface Scheduler {
    /** The name under which {@link Schedulers#named} knows it, as {@code "euler_a"}. */
    String name();

    /**
     * Begins one run.
     *
     * @param steps the number of denoising steps, from 1 to the number of timesteps the model was trained with
     * @return the run, to be closed when done
     * @throws TomeException if {@code steps} is out of range, or the settings allow no run of so many steps
     */
    Trajectory start(int steps);
}
