package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;

/** The noise level at which a run ends. */
final class FinalSigma {
    private FinalSigma() {}

    /** Reads {@code final_sigmas_type}: whether a run ends at the lowest noise level and not without noise. */
    static boolean readAboveZero(Config config) {
        return switch (config.text("final_sigmas_type", "zero")) {
            case "zero" -> false;
            case "sigma_min" -> true;
            default -> throw config.unsupported("final_sigmas_type", "zero, sigma_min");
        };
    }
}
