package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * One way to merge, or not to.
 *
 * <p>A variant is a method, {@code tome}, {@code todo} or {@code query}, or {@code tomesd}, which is exactly what the
 * Python package does; options that differ from the others' follow after a plus: {@code tome+match-every=2+merge-mlp}.
 *
 * @param variant what it is called without its ratio; empty for no merging
 * @param merging how to merge; ratio 0 for no merging
 */
public record Setting(String variant, ToMeOptions merging) {
    /** No merging. */
    public static final Setting UNMERGED = new Setting("", SettingRun.UNMERGED);

    /** The variant that is what the Python package does. */
    public static final String TOMESD = "tomesd";

    /** What can follow a plus, and what it does; those that take no value get an empty one. */
    private static final Map<String, BiFunction<ToMeOptions, String, ToMeOptions>> OPTIONS = options();

    /**
     * @param variant as above
     * @param ratio the share of tokens to merge away, above 0 and up to 1
     * @param base all other options
     * @throws IllegalArgumentException if there is no such variant, or an option does not go with another
     */
    public static Setting of(String variant, double ratio, ToMeOptions base) {
        if (!(ratio > 0 && ratio <= 1)) {
            throw new IllegalArgumentException("ratios has " + ratio
                    + ": each is a share of tokens to merge away, above 0 and up to 1; the unmerged image is always"
                    + " there");
        }
        List<String> parts = Arrays.asList(variant.split("\\+", -1));
        ToMeOptions options = withMethod(base.withRatio(ratio), parts.get(0));
        for (String part : parts.subList(1, parts.size())) {
            options = withOption(options, variant, part);
        }
        return new Setting(variant, options);
    }

    private static ToMeOptions withMethod(ToMeOptions base, String method) {
        if (method.equals(TOMESD)) {
            return base.method(ToMeOptions.Method.TOME).sizeWeighted(false).mode(ToMeOptions.Mode.TOMESD);
        }
        for (ToMeOptions.Method known : ToMeOptions.Method.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(method)) {
                return base.method(known);
            }
        }
        throw new IllegalArgumentException("methods has '" + method + "': it must be one of tome, todo, query, tomesd");
    }

    private static ToMeOptions withOption(ToMeOptions options, String variant, String part) {
        int equals = part.indexOf('=');
        String name = equals < 0 ? part : part.substring(0, equals);
        String value = equals < 0 ? "" : part.substring(equals + 1);
        BiFunction<ToMeOptions, String, ToMeOptions> change = OPTIONS.get(name);
        if (change == null) {
            throw new IllegalArgumentException("methods has '" + variant + "', and there is no option '" + name
                    + "' to follow a plus: there are " + String.join(", ", OPTIONS.keySet()));
        }
        try {
            return change.apply(options, value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("methods has '" + variant + "', and " + name + " needs a number", e);
        }
    }

    private static Map<String, BiFunction<ToMeOptions, String, ToMeOptions>> options() {
        Map<String, BiFunction<ToMeOptions, String, ToMeOptions>> options = new LinkedHashMap<>();
        options.put("size-weighted", flag((o, on) -> o.sizeWeighted(on)));
        options.put("match-per", (o, v) -> o.matchPer(constant(ToMeOptions.MatchPer.class, "match-per", v)));
        options.put("match-every", (o, v) -> o.matchEvery(Integer.parseInt(v)));
        options.put("match-together", flag((o, on) -> o.matchTogether(on)));
        options.put("match-precision", (o, v) -> o.matchPrecision(constant(Precision.class, "match-precision", v)));
        options.put("max-downsample", (o, v) -> o.maxDownsample(Integer.parseInt(v)));
        options.put("sx", (o, v) -> o.stride(Integer.parseInt(v), o.sy()));
        options.put("sy", (o, v) -> o.stride(o.sx(), Integer.parseInt(v)));
        options.put("no-rand", flag((o, on) -> o.useRand(!on)));
        options.put("merge-crossattn", flag((o, on) -> o.mergeCrossattn(on)));
        options.put("merge-mlp", flag((o, on) -> o.mergeMlp(on)));
        return options;
    }

    private static BiFunction<ToMeOptions, String, ToMeOptions> flag(
            BiFunction<ToMeOptions, Boolean, ToMeOptions> change) {
        return (options, value) -> {
            if (!value.isEmpty()) {
                throw new IllegalArgumentException(
                        "methods has an option with the value '" + value + "' that takes none");
            }
            return change.apply(options, true);
        };
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String option, String value) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(value)) {
                return constant;
            }
        }
        throw new IllegalArgumentException("methods has " + option + "=" + value + ": it must be one of "
                + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT));
    }

    /** Whether it merges. */
    public boolean merges() {
        return merging.ratio() > 0;
    }

    /** The share of tokens to merge away; 0 without merging. */
    public double ratio() {
        return merging.ratio();
    }

    /** What people call it: {@code tome 0.5}; {@code unmerged}. */
    public String label() {
        return merges() ? variant + " " + ratio() : "unmerged";
    }

    /** As {@link #label}, for use in a file's name. */
    public String slug() {
        return label().replace(' ', '-');
    }
}
