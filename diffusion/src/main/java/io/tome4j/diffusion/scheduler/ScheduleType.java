package io.tome4j.diffusion.scheduler;

import java.util.Set;

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
    BETA;

    private static final Set<String> USUALLY_KARRAS = Set.of("dpmpp_2m", "dpmpp_sde", "dpm2", "dpm2_a");

    private static final Set<String> USUALLY_EXPONENTIAL = Set.of("dpmpp_2m_sde", "dpmpp_3m_sde");

    /** What A1111's web UI, from version 1.9 on, takes for a scheduler where the spacing is left to it ("Automatic"). */
    public static ScheduleType usualInWebUi(String scheduler) {
        return USUALLY_KARRAS.contains(scheduler)
                ? KARRAS
                : USUALLY_EXPONENTIAL.contains(scheduler) ? EXPONENTIAL : AUTO;
    }
}
