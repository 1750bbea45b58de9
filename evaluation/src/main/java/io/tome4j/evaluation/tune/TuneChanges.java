package io.tome4j.evaluation.tune;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.UnaryOperator;

/**
 * What can save time on top of a setting, each a small step, those that save most first.
 *
 * @param request what is drawn: what it leaves out already is no change
 * @param levels how much smaller than the latents the feature maps are that the model's blocks have
 */
record TuneChanges(Request request, SortedSet<Integer> levels) {
    /** How many steps share features: beyond, images fall apart. */
    private static final List<Integer> REUSE = List.of(2, 3, 5);

    /** Where guidance ends; late steps need it least. */
    private static final List<Double> GUIDANCE_TO = List.of(0.8, 0.6);

    /** Where it begins: the first steps settle what is drawn, so a later beginning gives another image. */
    private static final double GUIDANCE_FROM = 0.1;

    /** All, in the order to try them. */
    List<UnaryOperator<Savings>> all() {
        List<UnaryOperator<Savings>> changes = new ArrayList<>();
        REUSE.forEach(every -> changes.add(savings -> next(savings, Request.REUSE_EVERY, REUSE, every)));
        if (request.guidanceScale() > 1) {
            GUIDANCE_TO.forEach(to -> changes.add(savings -> next(savings, Request.GUIDANCE_TO, GUIDANCE_TO, to)));
            changes.add(savings -> changed(savings, Request.GUIDANCE_FROM, GUIDANCE_FROM, Comparator.naturalOrder()));
        }
        changes.addAll(ofMerging());
        return changes;
    }

    /** Those of merging. */
    List<UnaryOperator<Savings>> ofMerging() {
        return List.of(
                savings -> merging(savings, this::nextLevel),
                savings -> merging(savings, options -> options.matchEvery(Math.max(2, options.matchEvery()))));
    }

    /** The change made; empty if it changes nothing, or does not go with the rest. */
    static Optional<Savings> made(Savings savings, UnaryOperator<Savings> change) {
        try {
            return Optional.of(change.apply(savings)).filter(changed -> !changed.equals(savings));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** An option's value in a list, if the savings have come as far as the one before it. */
    private <T extends Comparable<T>> Savings next(Savings savings, Option<T> option, List<T> values, T value) {
        int place = values.indexOf(value);
        T now = savings.applyTo(request).get(option);
        boolean isNext = place == 0 || now.equals(values.get(place - 1));
        Comparator<T> order =
                values.get(0).compareTo(values.get(1)) < 0 ? Comparator.naturalOrder() : Comparator.reverseOrder();
        return isNext ? changed(savings, option, value, order) : savings;
    }

    /** @param saving which of two values saves more, the greater one */
    private <T> Savings changed(Savings savings, Option<T> option, T value, Comparator<T> saving) {
        T now = savings.applyTo(request).get(option);
        return saving.compare(value, now) > 0 ? savings.with(option, value) : savings;
    }

    private static Savings merging(Savings savings, UnaryOperator<ToMeOptions> change) {
        return savings.merges() ? savings.merging(change.apply(savings.merging())) : savings;
    }

    private ToMeOptions nextLevel(ToMeOptions options) {
        int now = levels.isEmpty() ? 1 : options.forBlocksFrom(levels.first()).maxDownsample();
        return levels.tailSet(now + 1).stream()
                .findFirst()
                .map(options::maxDownsample)
                .orElse(options);
    }
}
