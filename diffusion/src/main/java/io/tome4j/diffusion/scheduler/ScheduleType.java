package io.tome4j.diffusion.scheduler;

/** How a run's noise levels are spaced, where a request says so. */
public enum ScheduleType {
    /** As the scheduler and the checkpoint's config have it. */
    AUTO,
    /** Those of the timesteps, whatever the checkpoint's config says. */
    UNIFORM,
    /** Evenly in the seventh root (arXiv 2206.00364, equation 5): diffusers' {@code use_karras_sigmas}. */
    KARRAS,
    /** Evenly in the logarithm: diffusers' {@code use_exponential_sigmas}. */
    EXPONENTIAL,
    /** Dense at both ends (arXiv 2407.12173): diffusers' {@code use_beta_sigmas}. */
    BETA
}
