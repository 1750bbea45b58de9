package io.tome4j.evaluation.tune;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Method;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.UnaryOperator;

/**
 * Decides what to try next. It measures nothing and remembers nothing: what it says follows from the trials alone.
 *
 * <ol>
 *   <li>No merging. Where that is in time, merging has nothing to add.
 *   <li>Coarse: each method at one ratio in the middle.
 *   <li>Fine: each method's ratio is narrowed down, the most promising method first, on the assumption that a higher ratio
 *       is faster and less like the unmerged image. A method is left as soon as that says that it cannot win any more.
 *   <li>What else saves time, on top of the best so far: blocks at a lower resolution, too; a matching for several blocks,
 *       or for two steps. What wins is kept, and the next is tried on top of it. Then the
 *       same for the other methods.
 * </ol>
 */
final class TuneSearch {
    /** Ratios nearer to each other are not told apart. */
    static final double RESOLUTION = 0.05;

    /** Nor are times and likenesses, twice as far from the goal as this share of it, or this. */
    private static final double TIME_MARGIN = 0.0075;

    private static final double SSIM_MARGIN = 0.0025;
    private static final int MOST_TRIALS = 6; // of a family
    private static final double MIDDLE = 0.5;
    private static final double MOST_OF_TODO = 0.9;

    private final TuneGoal goal;
    private final List<ToMeOptions> methods;
    private final List<UnaryOperator<ToMeOptions>> changes;

    /**
     * @param methods the settings to start from, of whatever ratio
     * @param levels how much smaller than the latents the feature maps are that the model's blocks have
     */
    TuneSearch(TuneGoal goal, List<ToMeOptions> methods, SortedSet<Integer> levels) {
        this.goal = goal;
        this.changes = List.of(
                options -> nextLevel(options, levels),
                options -> options.matchEvery(Math.max(2, options.matchEvery())));
        this.methods = methods.stream().map(TuneSearch::atMiddle).toList();
    }

    /**
     * The next setting to try.
     *
     * @param trials what was tried, no merging first
     * @return empty if nothing that is left promises more
     */
    Optional<ToMeOptions> next(List<Trial> trials) {
        if (goal.seconds().isPresent() && goal.inTime(trials.get(0))) {
            return Optional.empty();
        }
        for (ToMeOptions method : methods) {
            if (find(method, trials).isEmpty()) {
                return Optional.of(method);
            }
        }
        List<ToMeOptions> promising = methods.stream()
                .sorted(Comparator.comparing(method -> find(method, trials).orElseThrow(), promise()))
                .toList();
        for (ToMeOptions method : promising) {
            Optional<ToMeOptions> finer = refine(method, trials);
            if (finer.isPresent()) {
                return finer;
            }
        }
        Trial first = leader(promising, trials);
        Optional<ToMeOptions> changed = change(first, trials);
        for (int i = 0; changed.isEmpty() && i < promising.size(); i++) {
            changed = change(leader(promising.subList(i, i + 1), trials), trials);
        }
        return changed;
    }

    private Optional<ToMeOptions> change(Trial start, List<Trial> trials) {
        Trial leader = start;
        for (UnaryOperator<ToMeOptions> change : changes) {
            ToMeOptions before = leader.options();
            Optional<ToMeOptions> changed = changed(before, change);
            if (changed.isEmpty()) {
                continue;
            }
            if (find(changed.get(), trials).isEmpty()) {
                return changed;
            }
            Optional<ToMeOptions> finer = refine(changed.get(), trials);
            if (finer.isPresent()) {
                return finer;
            }
            leader = leader(List.of(before, changed.get()), trials);
        }
        return Optional.empty();
    }

    private static ToMeOptions nextLevel(ToMeOptions options, SortedSet<Integer> levels) {
        return levels.tailSet(options.maxDownsample() + 1).stream()
                .findFirst()
                .map(options::maxDownsample)
                .orElse(options);
    }

    /** Empty if the change changes nothing, or does not go with the other options. */
    private static Optional<ToMeOptions> changed(ToMeOptions options, UnaryOperator<ToMeOptions> change) {
        try {
            return Optional.of(change.apply(options)).filter(changed -> !changed.equals(options));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** The best trial of some families; where none reaches the goal, the one that comes nearest. */
    private Trial leader(List<ToMeOptions> families, List<Trial> trials) {
        List<Trial> theirs = trials.stream()
                .filter(trial -> families.stream().anyMatch(family -> isOf(family, trial)))
                .toList();
        return goal.best(theirs).orElseGet(() -> theirs.stream().min(promise()).orElseThrow());
    }

    /**
     * The most promising first: by likeness lost for each second saved where a time is to be reached, else by the time
     * where they are like enough.
     */
    private Comparator<Trial> promise() {
        if (goal.ssim().isEmpty()) {
            return Comparator.comparing((Trial trial) -> !goal.inTime(trial))
                    .thenComparingDouble(trial -> goal.inTime(trial) ? -trial.ssim() : trial.seconds());
        }
        return Comparator.comparing((Trial trial) -> !goal.likeEnough(trial))
                .thenComparingDouble(trial -> goal.likeEnough(trial) ? trial.seconds() : -trial.ssim());
    }

    /**
     * The next ratio of a family: between the highest that is known to be too slow and the lowest that is in time, where a
     * straight line between them says that the goal is just reached; without a time to reach, between the highest that is
     * like enough and the lowest that is not.
     */
    private Optional<ToMeOptions> refine(ToMeOptions family, List<Trial> trials) {
        boolean byTime = goal.seconds().isPresent();
        List<Trial> known = ofFamily(family, trials);
        Trial low = trials.get(0); // no merging: ratio 0 of every family
        Optional<Trial> high = Optional.empty();
        for (Trial trial : known) {
            if (byTime ? goal.inTime(trial) : !goal.likeEnough(trial)) {
                high = Optional.of(trial);
                break;
            }
            low = trial;
        }
        if (known.size() >= MOST_TRIALS || isHopeless(low, high, trials)) {
            return Optional.empty();
        }
        if (high.isEmpty()) {
            double most = most(family);
            return low.ratio() + RESOLUTION / 2 < most ? Optional.of(family.withRatio(most)) : Optional.empty();
        }
        double gap = high.get().ratio() - low.ratio();
        if (gap < RESOLUTION + 1e-9 || isNear(byTime ? high.get() : low)) {
            return Optional.empty();
        }
        double ratio = low.ratio() + gap * share(low, high.get());
        return Optional.of(family.withRatio(Math.round(100 * ratio) / 100.0));
    }

    /** Whether a setting reaches the goal so barely that a better one would hardly be better. */
    private boolean isNear(Trial trial) {
        return goal.seconds().isPresent()
                ? trial.seconds() >= (1 - 2 * TIME_MARGIN) * goal.seconds().getAsDouble()
                : trial.options().merges() && trial.ssim() <= goal.ssim().orElseThrow() + 2 * SSIM_MARGIN;
    }

    /** How far from the one to the other the goal is reached with a margin to spare, by a straight line. */
    private double share(Trial low, Trial high) {
        double share = goal.seconds().isPresent()
                ? (low.seconds() - (1 - TIME_MARGIN) * goal.seconds().getAsDouble()) / (low.seconds() - high.seconds())
                : (low.ssim() - goal.ssim().orElseThrow() - SSIM_MARGIN) / (low.ssim() - high.ssim());
        return Double.isNaN(share) ? 0.5 : Math.min(0.85, Math.max(0.15, share));
    }

    /** Whether no ratio between the two, or above the low one, can be better than what is there. */
    private boolean isHopeless(Trial low, Optional<Trial> high, List<Trial> trials) {
        Optional<Trial> best = goal.best(trials);
        if (goal.seconds().isPresent()) {
            // All that is in time is less like than the low one, which is too slow.
            return !goal.likeEnough(low)
                    || best.map(trial -> trial.ssim() >= low.ssim()).orElse(false);
        }
        // All that is like enough is slower than the high one, which is not.
        return high.isPresent()
                && best.map(trial -> trial.seconds() <= high.get().seconds()).orElse(false);
    }

    /** The trials of a family by ratio. */
    private static List<Trial> ofFamily(ToMeOptions family, List<Trial> trials) {
        return trials.stream()
                .filter(trial -> isOf(family, trial))
                .sorted(Comparator.comparingDouble(Trial::ratio))
                .toList();
    }

    private static boolean isOf(ToMeOptions family, Trial trial) {
        return trial.options().merges()
                && trial.options().withRatio(family.ratio()).equals(family);
    }

    private static Optional<Trial> find(ToMeOptions options, List<Trial> trials) {
        return trials.stream().filter(trial -> trial.options().equals(options)).findFirst();
    }

    private static ToMeOptions atMiddle(ToMeOptions options) {
        return options.withRatio(Math.min(MIDDLE, most(options)));
    }

    /** The highest ratio that has an effect, or that makes sense, in hundredths. */
    private static double most(ToMeOptions options) {
        double most = options.method() == Method.TODO ? MOST_OF_TODO : 1 - 1.0 / (options.sx() * options.sy());
        return Math.floor(100 * most) / 100;
    }
}
