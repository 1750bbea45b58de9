package io.tome4j.diffusion.scheduler;

/** Which of the training timesteps a run visits, where a request says so: diffusers' {@code timestep_spacing}. */
public enum SpacingChoice {
    /** As the checkpoint's config has it. */
    AUTO,
    /** The first timestep of each of equal parts. */
    LEADING,
    /** The last timestep of each of equal parts: what few-step models want. */
    TRAILING,
    /** Evenly from the first timestep to the last. */
    LINSPACE
}
