package io.tome4j.evaluation.tune;

import io.tome4j.evaluation.Quantiles;
import java.util.ArrayList;
import java.util.List;

/**
 * How much slower or quicker the machine was at each trial than at the first: seen by one and the same image, made between
 * trials now and then.
 */
final class Drift {
    /** Less than this share is what times scatter by anyway. */
    private static final double SCATTER = 0.1;

    private final List<Mark> marks = new ArrayList<>();

    /**
     * @param trials how many trials were done by then
     * @param seconds what the image took
     */
    private record Mark(int trials, double seconds) {}

    /** Has the image made again, where there are trials since the last time; the first time is that of the first trial. */
    void look(int trials, Measuring measuring) {
        if (marks.isEmpty() || trials > lastMarked()) {
            marks.add(new Mark(trials, measuring.baselineSeconds(marks.size())));
        }
    }

    /** How many trials were done when the machine was looked at last. */
    int lastMarked() {
        return marks.get(marks.size() - 1).trials();
    }

    /** The slowest time of the image over its quickest. */
    double range() {
        if (marks.isEmpty()) {
            return 1;
        }
        double[] all = seconds();
        double slowest = Quantiles.quantile(1, all);
        return slowest / Quantiles.quantile(0, all);
    }

    private double[] seconds() {
        return marks.stream().mapToDouble(Mark::seconds).toArray();
    }

    /** The trials as they would have been measured on a machine that stays as it mostly was. */
    List<Trial> takenOut(List<Trial> trials) {
        if (range() < 1 + SCATTER) {
            return trials;
        }
        double usual = Quantiles.median(seconds());
        List<Trial> steady = new ArrayList<>();
        for (Trial trial : trials) {
            steady.add(trial.times(usual / at(steady.size() + 1)));
        }
        return steady;
    }

    /** What the image would have taken at a trial, from 1: on a straight line between the times before and after. */
    private double at(int trial) {
        Mark before = marks.get(0);
        for (Mark after : marks) {
            if (after.trials() >= trial) {
                int between = after.trials() - before.trials();
                double share = between == 0 ? 0 : (trial - before.trials()) / (double) between;
                return before.seconds() + share * (after.seconds() - before.seconds());
            }
            before = after;
        }
        return before.seconds();
    }
}
