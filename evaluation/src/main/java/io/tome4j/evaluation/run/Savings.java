package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.OptionValues;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is done to save time when a request is carried out: how tokens are merged, and what the request leaves out of its
 * steps. Immutable; equal where the same is done.
 */
public final class Savings {
    /** The options of a request that leave out work. */
    public static final List<Option<?>> OPTIONS = List.of(
            Request.REUSE_EVERY,
            Request.REUSE_BRANCH,
            Request.REUSE_SCHEDULE,
            Request.REUSE_CENTER,
            Request.REUSE_POWER,
            Request.GUIDANCE_FROM,
            Request.GUIDANCE_TO);

    /** Nothing: the request as it is, without merging. */
    public static final Savings NONE = new Savings(ToMeOptions.NONE, OptionValues.DEFAULTS);

    private final ToMeOptions merging;
    private final OptionValues changes;

    private Savings(ToMeOptions merging, OptionValues changes) {
        this.merging = merging;
        this.changes = changes;
    }

    /** Merging alone. */
    public static Savings of(ToMeOptions merging) {
        return NONE.merging(merging);
    }

    /** How tokens are merged; {@link ToMeOptions#NONE} if they are not. */
    public ToMeOptions merging() {
        return merging;
    }

    /** The same with other merging. */
    public Savings merging(ToMeOptions value) {
        return new Savings(value.merges() ? value : ToMeOptions.NONE, changes);
    }

    /**
     * The same with one option of the request changed.
     *
     * @param option one of {@link #OPTIONS}
     * @throws OptionException if the value is out of its range
     * @throws IllegalArgumentException if it is none of them
     */
    public <T> Savings with(Option<T> option, T value) {
        if (!OPTIONS.contains(option)) {
            throw new IllegalArgumentException("The option " + option + " of a request leaves out no work");
        }
        return new Savings(merging, changes.with(option, value));
    }

    /** As {@link #with(Option, Object)}, with the value as {@link Option#format} writes it. */
    public <T> Savings withText(Option<T> option, String text) {
        return with(option, option.parse(text));
    }

    /** Whether an option of the request is changed. */
    public boolean changes(Option<?> option) {
        return changes.has(option);
    }

    /** The options of the request that are changed, in their order. */
    public List<Option<?>> changed() {
        return OPTIONS.stream().filter(changes::has).toList();
    }

    /** What an option is changed to, as {@link Option#format} writes it; the default if it is not. */
    public <T> String text(Option<T> option) {
        return option.format(changes.get(option));
    }

    /** Whether tokens are merged. */
    public boolean merges() {
        return merging.merges();
    }

    /** Whether nothing is done. */
    public boolean isNone() {
        return equals(NONE);
    }

    /** The request with all of this done. */
    public Request applyTo(Request request) {
        Request changed = request.merging(merging);
        for (Option<?> option : changed()) {
            changed = apply(changed, option);
        }
        return changed;
    }

    private <T> Request apply(Request request, Option<T> option) {
        return request.with(option, changes.get(option));
    }

    /** The changes of the request, one line: {@code reuse-every=3 guidance-to=0.8}; may be empty. */
    public String changesLabel() {
        return changed().stream()
                .map(option -> option.name().replace('_', '-') + "=" + text(option))
                .collect(Collectors.joining(" "));
    }

    /** What people call it: {@code tome 0.5 reuse-every=3}, {@code tomesd 0.5}; {@code unmerged} for nothing. */
    public String label() {
        boolean asTomesd = merging.mode() == ToMeOptions.Mode.TOMESD;
        Enum<?> method = asTomesd ? merging.mode() : merging.method();
        String merged = merges() ? method.name().toLowerCase(Locale.ROOT) + " " + merging.ratioText() : "";
        return isNone() ? "unmerged" : (merged + " " + changesLabel()).strip();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Savings savings && savings.merging.equals(merging) && savings.changes.equals(changes);
    }

    @Override
    public int hashCode() {
        return Objects.hash(merging, changes);
    }

    @Override
    public String toString() {
        return label();
    }
}
