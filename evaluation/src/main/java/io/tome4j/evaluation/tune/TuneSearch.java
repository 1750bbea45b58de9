package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.run.Savings;
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
 *   <li>No savings. Where that is in time, nothing is to be added.
 *   <li>Coarse: each method of merging at one ratio in the middle.
 *   <li>Fine: each method's ratio is narrowed down, the most promising method first, on the assumption that a higher ratio
 *       is faster and less like the image without savings. A method is left as soon as that says that it cannot win any more.
 *   <li>What else saves time, on top of the best so far ({@link TuneChanges}): features reused for more steps, guidance in
 *       fewer; blocks at a lower resolution, too; a matching for several blocks, or for two steps. With each, the ratio is
 *       narrowed down again, from no merging on. What wins is kept, and the next is tried on top of it.
 *   <li>The other methods: the same changes of merging, and then what the best leaves out of the steps.
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
    private final List<Savings> methods;
    private final TuneChanges changes;

    /**
     * @param request what is drawn
     * @param methods the settings of merging to start from, of whatever ratio
     * @param levels how much smaller than the latents the feature maps are that the model's blocks have
     */
    TuneSearch(TuneGoal goal, Request request, List<ToMeOptions> methods, SortedSet<Integer> levels) {
        this.goal = goal;
        this.changes = new TuneChanges(request, levels);
        this.methods = methods.stream()
                .map(options -> Savings.of(options.withRatio(Math.min(MIDDLE, most(options)))))
                .toList();
    }

    /**
     * The next setting to try.
     *
     * @param trials what was tried, no savings first
     * @return empty if nothing that is left promises more
     */
    Optional<Savings> next(List<Trial> trials) {
        if (goal.seconds().isPresent() && goal.inTime(trials.get(0))) {
            return Optional.empty();
        }
        for (Savings method : methods) {
            if (find(method, trials).isEmpty()) {
                return Optional.of(method);
            }
        }
        List<Savings> promising = methods.stream()
                .sorted(Comparator.comparing(method -> find(method, trials).orElseThrow(), promise()))
                .toList();
        for (Savings method : promising) {
            Optional<Savings> finer = refine(method, trials);
            if (finer.isPresent()) {
                return finer;
            }
        }
        Optional<Savings> next = change(leader(promising, trials).savings(), changes.all(), trials);
        for (int i = 0; next.isEmpty() && i < promising.size(); i++) {
            Savings ofMethod = leader(promising.subList(i, i + 1), trials).savings();
            next = change(ofMethod, changes.ofMerging(), trials);
        }
        for (int i = 0; next.isEmpty() && i < promising.size(); i++) {
            Savings ofMethod = leader(promising.subList(i, i + 1), trials).savings();
            Savings best = best(trials).savings();
            next = change(ofMethod, List.of(savings -> best.merging(savings.merging())), trials);
        }
        return next;
    }

    private Optional<Savings> change(Savings start, List<UnaryOperator<Savings>> all, List<Trial> trials) {
        Savings leader = start;
        for (UnaryOperator<Savings> change : all) {
            Optional<Savings> changed = TuneChanges.made(leader, change);
            if (changed.isEmpty()) {
                continue;
            }
            if (find(changed.get(), trials).isEmpty()) {
                return changed;
            }
            Optional<Savings> finer = refine(changed.get(), trials);
            if (finer.isPresent()) {
                return finer;
            }
            leader = leader(List.of(leader, changed.get()), trials).savings();
        }
        return Optional.empty();
    }

    /** The best trial of some families; where none reaches the goal, the one that comes nearest. */
    private Trial leader(List<Savings> families, List<Trial> trials) {
        return best(trials.stream()
                .filter(trial -> families.stream().anyMatch(family -> isOf(family, trial)))
                .toList());
    }

    private Trial best(List<Trial> some) {
        return goal.best(some).orElseGet(() -> some.stream().min(promise()).orElseThrow());
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
     * like enough and the lowest that is not. The first is none at all.
     */
    private Optional<Savings> refine(Savings family, List<Trial> trials) {
        boolean byTime = goal.seconds().isPresent();
        Savings unmerged = family.merging(ToMeOptions.NONE);
        Optional<Trial> without = find(unmerged, trials);
        if (without.isEmpty()) {
            return Optional.of(unmerged);
        }
        Trial low = without.get();
        if (!family.merges() || (byTime ? goal.inTime(low) : !goal.likeEnough(low))) {
            return Optional.empty(); // merging has nothing to add, or would be too much
        }
        List<Trial> known = ofFamily(family, trials);
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
            double most = most(family.merging());
            return low.ratio() + RESOLUTION / 2 < most ? Optional.of(withRatio(family, most)) : Optional.empty();
        }
        double gap = high.get().ratio() - low.ratio();
        if (gap < RESOLUTION + 1e-9 || isNear(byTime ? high.get() : low)) {
            return Optional.empty();
        }
        double ratio = low.ratio() + gap * share(low, high.get());
        return Optional.of(withRatio(family, Math.round(100 * ratio) / 100.0));
    }

    /** Whether a setting reaches the goal so barely that a better one would hardly be better. */
    private boolean isNear(Trial trial) {
        return goal.seconds().isPresent()
                ? trial.seconds() >= (1 - 2 * TIME_MARGIN) * goal.seconds().getAsDouble()
                : !trial.savings().isNone() && trial.ssim() <= goal.ssim().orElseThrow() + 2 * SSIM_MARGIN;
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

    /** The trials of a family that merge, by ratio. */
    private static List<Trial> ofFamily(Savings family, List<Trial> trials) {
        return trials.stream()
                .filter(trial -> trial.savings().merges() && isOf(family, trial))
                .sorted(Comparator.comparingDouble(Trial::ratio))
                .toList();
    }

    /** Whether a trial is the family's but for its ratio; no savings are of no family. */
    private static boolean isOf(Savings family, Trial trial) {
        Savings tried = trial.savings();
        return !tried.isNone()
                && (tried.merges() ? withRatio(tried, family.merging().ratio()) : tried)
                        .equals(tried.merges() ? family : family.merging(ToMeOptions.NONE));
    }

    private static Savings withRatio(Savings savings, double ratio) {
        return savings.merging(savings.merging().withRatio(ratio));
    }

    static Optional<Trial> find(Savings savings, List<Trial> trials) {
        return trials.stream().filter(trial -> trial.savings().equals(savings)).findFirst();
    }

    /** The highest ratio that has an effect, or that makes sense, in hundredths. */
    private static double most(ToMeOptions options) {
        double most = options.method() == Method.TODO ? MOST_OF_TODO : 1 - 1.0 / (options.sx() * options.sy());
        return Math.floor(100 * most) / 100;
    }
}
