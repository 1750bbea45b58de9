package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;

/** How a run's noise levels are spaced. */
final class SigmaSpacing {
    /** Where {@link SchedulerSettings} put the caller's own noise levels; no checkpoint's config may have it. */
    static final String SIGMAS = "sigmas";

    private static final double RHO = 7;

    private enum Way {
        /** As the timesteps have them. */
        TIMESTEPS,
        /** Evenly in the seventh root (arXiv 2206.00364, equation 5). */
        KARRAS,
        /** Evenly in the logarithm. */
        EXPONENTIAL,
        /** Dense at both ends, by a beta distribution (arXiv 2407.12173). */
        BETA
    }

    private final Way way;
    private final double least; // NaN: the schedule's own
    private final double most;

    private SigmaSpacing(Way way, double least, double most) {
        this.way = way;
        this.least = least;
        this.most = most;
    }

    /**
     * Reads {@code use_karras_sigmas}, {@code use_exponential_sigmas}, {@code use_beta_sigmas}, {@code
     * sigma_min} and {@code sigma_max}.
     *
     * @throws TomeException if several ways or one that is not supported are asked for
     */
    static SigmaSpacing read(Config config) {
        return readWay(config, sigma(config, "sigma_min"), sigma(config, "sigma_max"));
    }

    private static double sigma(Config config, String key) {
        return config.has(key) ? config.positive(key, Double.NaN) : Double.NaN;
    }

    /** The same without {@code sigma_min} and {@code sigma_max}. */
    static SigmaSpacing readWithoutRange(Config config) {
        return readWay(config, Double.NaN, Double.NaN);
    }

    private static SigmaSpacing readWay(Config config, double least, double most) {
        boolean karras = config.flag("use_karras_sigmas", false);
        boolean exponential = config.flag("use_exponential_sigmas", false);
        boolean beta = config.flag("use_beta_sigmas", false);
        if ((karras ? 1 : 0) + (exponential ? 1 : 0) + (beta ? 1 : 0) > 1) {
            throw new TomeException("Wrong in " + config.origin()
                    + ": 'use_karras_sigmas', 'use_exponential_sigmas' and 'use_beta_sigmas' exclude each other.");
        }
        Way way = karras ? Way.KARRAS : exponential ? Way.EXPONENTIAL : beta ? Way.BETA : Way.TIMESTEPS;
        return new SigmaSpacing(way, least, most);
    }

    /** Whether the noise levels follow from the timesteps, and not the timesteps from the noise levels. */
    boolean followsTimesteps() {
        return way == Way.TIMESTEPS;
    }

    boolean isKarras() {
        return way == Way.KARRAS;
    }

    /** {@code count} noise levels, falling, from the highest to the lowest that the run would have otherwise. */
    double[] between(double highest, double lowest, int count) {
        double to = Double.isNaN(least) ? lowest : least;
        double from = Double.isNaN(most) ? highest : most;
        return switch (way) {
            case TIMESTEPS -> throw new IllegalStateException("The noise levels follow from the timesteps");
            case KARRAS -> {
                double toRoot = Math.pow(to, 1 / RHO);
                double fromRoot = Math.pow(from, 1 / RHO);
                double[] sigmas = Sigmas.linspace(0, 1, count);
                for (int i = 0; i < count; i++) {
                    sigmas[i] = Math.pow(fromRoot + sigmas[i] * (toRoot - fromRoot), RHO);
                }
                yield sigmas;
            }
            case EXPONENTIAL -> {
                double[] sigmas = Sigmas.linspace(Math.log(from), Math.log(to), count);
                for (int i = 0; i < count; i++) {
                    sigmas[i] = Math.exp(sigmas[i]);
                }
                yield sigmas;
            }
            case BETA -> {
                double[] sigmas = Sigmas.linspace(0, 1, count);
                for (int i = 0; i < count; i++) {
                    sigmas[i] = to + BetaQuantile.at(1 - sigmas[i]) * (from - to);
                }
                yield sigmas;
            }
        };
    }
}
