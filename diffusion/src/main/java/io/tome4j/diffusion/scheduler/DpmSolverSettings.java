package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;

/**
 * What the DPM-Solver++ schedulers have in common.
 *
 * @param order of the solver, 1 to 3
 * @param stochastic whether each step adds fresh noise
 * @param heun whether the slope is weighed as in Heun's method, and not as at the midpoint
 * @param lowerOrderFinal whether the last of few steps are of lower order
 * @param eulerAtFinal whether the last step is of first order in any case
 * @param endsAboveZero whether the run ends at the lowest noise level and not without noise
 */
record DpmSolverSettings(
        int order,
        boolean stochastic,
        boolean heun,
        boolean lowerOrderFinal,
        boolean eulerAtFinal,
        boolean endsAboveZero) {
    /**
     * Reads {@code solver_order}, {@code algorithm_type}, {@code solver_type}, {@code lower_order_final}, {@code
     * euler_at_final} and {@code final_sigmas_type}.
     *
     * @param lowerOrderAbsent what an absent {@code lower_order_final} means
     */
    static DpmSolverSettings read(Config config, boolean lowerOrderAbsent) {
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) {
            throw config.unsupported("solver_order", "1, 2, 3");
        }
        boolean stochastic =
                switch (config.text("algorithm_type", "dpmsolver++")) {
                    case "dpmsolver++", "deis" -> false;
                    case "sde-dpmsolver++" -> true;
                    default -> throw config.unsupported("algorithm_type", "dpmsolver++, sde-dpmsolver++");
                };
        // Names of other solvers' types mean this solver's default, so that it can take over their configs.
        boolean heun =
                switch (config.text("solver_type", "midpoint")) {
                    case "midpoint", "logrho", "bh1", "bh2" -> false;
                    case "heun" -> true;
                    default -> throw config.unsupported("solver_type", "midpoint, heun");
                };
        return new DpmSolverSettings(
                order,
                stochastic,
                heun,
                config.flag("lower_order_final", lowerOrderAbsent),
                config.flag("euler_at_final", false),
                FinalSigma.readAboveZero(config));
    }
}
