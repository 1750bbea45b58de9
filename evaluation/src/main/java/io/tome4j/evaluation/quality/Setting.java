package io.tome4j.evaluation.quality;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One way to merge, or not to.
 *
 * <p>A variant is a method, {@code tome}, {@code todo} or {@code query}, or {@code tomesd}, which is exactly what the
 * Python package does; options that differ from the others' follow after a plus: {@code tome+match-every=2+merge-mlp}.
 *
 * @param variant what it is called without its ratio; empty for no merging
 * @param merging how to merge
 */
public record Setting(String variant, ToMeOptions merging) {
    /** No merging. */
    public static final Setting UNMERGED = new Setting("", ToMeOptions.NONE);

    /** What can follow a plus: what the variant itself does not say. */
    private static final List<Option<?>> OPTIONS = ToMeOptions.OPTIONS.stream()
            .filter(option -> !List.of(ToMeOptions.RATIO, ToMeOptions.METHOD, ToMeOptions.MODE, ToMeOptions.AUTO)
                    .contains(option))
            .toList();

    /** The variant that is what the Python package does. */
    public static final String TOMESD = "tomesd";

    /**
     * @param variant as above
     * @param ratio the share of tokens to merge away, above 0 and up to 1
     * @param base all other options
     * @throws IllegalArgumentException if there is no such variant, or an option does not go with another
     */
    public static Setting of(String variant, double ratio, ToMeOptions base) {
        if (!(ratio > 0 && ratio <= 1)) {
            throw new OptionException("{ratios} has " + ratio
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
            return base.sizeWeighted(false).method(ToMeOptions.Method.TOME).mode(ToMeOptions.Mode.TOMESD);
        }
        for (ToMeOptions.Method known : ToMeOptions.Method.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(method)) {
                return base.method(known);
            }
        }
        throw new OptionException("{methods} has '" + OptionException.literal(method) + "': it must be one of "
                + ToMeOptions.METHOD.takes().replace("|", ", ") + ", tomesd");
    }

    /** An option after a plus: {@code match-every=2}, or a flag that is not as usual, {@code merge-mlp} or {@code no-rand}. */
    private static ToMeOptions withOption(ToMeOptions options, String variant, String part) {
        int equals = part.indexOf('=');
        String name = equals < 0 ? part : part.substring(0, equals);
        Option<?> option = OPTIONS.stream()
                .filter(candidate -> called(candidate).equals(name))
                .findFirst()
                .orElseThrow(() -> new OptionException("{methods} has '" + OptionException.literal(variant)
                        + "', and there is no option '" + OptionException.literal(name)
                        + "' to follow a plus: there are "
                        + OPTIONS.stream().map(Setting::called).collect(Collectors.joining(", "))));
        if (option.isFlag() != (equals < 0)) {
            throw new OptionException("{methods} has '" + OptionException.literal(variant) + "', and " + name
                    + (option.isFlag() ? " takes no value" : " needs one: " + name + "=" + option.takes()));
        }
        try {
            return options.withText(option, equals < 0 ? turned(option) : part.substring(equals + 1));
        } catch (OptionException e) {
            throw new OptionException(
                    "{methods} has '" + OptionException.literal(variant) + "': "
                            + OptionException.literal(e.message(each -> each.replace('_', '-'))),
                    e);
        }
    }

    private static <T> String turned(Option<T> flag) {
        return String.valueOf(!Boolean.parseBoolean(flag.format(flag.defaultValue())));
    }

    /** What an option is called after a plus. */
    private static <T> String called(Option<T> option) {
        boolean turnedOff = option.isFlag() && Boolean.parseBoolean(option.format(option.defaultValue()));
        return (turnedOff ? "no-" : "") + option.name().replace('_', '-').replaceFirst("^use-", "");
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
