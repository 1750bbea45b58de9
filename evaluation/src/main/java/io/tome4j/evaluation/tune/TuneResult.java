package io.tome4j.evaluation.tune;

import java.util.List;
import java.util.Optional;

/**
 * What tuning found.
 *
 * @param goal what was asked for
 * @param trials all that was measured, in order; the first is no savings
 * @param best the setting to use; empty if none reaches the goal
 * @param nearest the setting that comes nearest: the best one, if there is one
 * @param drift how many times as slow as at its quickest the machine was at its slowest, where the trials' times are as on
 *     one that stays as it mostly was; 1 where they are as measured
 * @param complete whether the search came to its end; otherwise the budget was used up before, or it was stopped
 */
public record TuneResult(
        TuneGoal goal, List<Trial> trials, Optional<Trial> best, Trial nearest, double drift, boolean complete) {
    static TuneResult of(TuneGoal goal, List<Trial> measured, Drift drift, boolean complete) {
        List<Trial> trials = drift.takenOut(measured);
        Optional<Trial> best = goal.best(trials);
        return new TuneResult(
                goal,
                List.copyOf(trials),
                best,
                best.orElseGet(() -> goal.nearest(trials)),
                trials.equals(measured) ? 1 : drift.range(),
                complete);
    }

    /** How many times as fast as without merging a setting is. */
    public double speedUp(Trial trial) {
        return trials.get(0).seconds() / trial.seconds();
    }
}
