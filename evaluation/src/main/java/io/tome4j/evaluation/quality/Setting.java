package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One way to save time, or not to.
 *
 * <p>A variant is a method of merging, {@code tome}, {@code todo} or {@code query}, or {@code tomesd}, which is exactly what
 * the Python package does, or {@code none}; options that differ from the others' follow after a plus, of merging and of what
 * a request leaves out: {@code tome+match-every=2+merge-mlp+reuse-every=3}, {@code none+guidance-to=0.8}. One may have a ratio
 * of its own, or one that changes from the first step to the last: {@code tome+ratio=0.2..0.6}.
 *
 * @param variant what it is called without its ratio; empty for no savings
 * @param savings what is done
 */
public record Setting(String variant, Savings savings) {
    /** Nothing is done to save time. */
    public static final Setting UNMERGED = new Setting("", Savings.NONE);

    /** Options of merging that can follow a plus: what the variant itself does not say. */
    private static final List<Option<?>> MERGING = ToMeOptions.OPTIONS.stream()
            .filter(option -> !List.of(ToMeOptions.METHOD, ToMeOptions.MODE, ToMeOptions.AUTO)
                    .contains(option))
            .toList();

    /** The variant that is what the Python package does. */
    public static final String TOMESD = "tomesd";

    private static final String ITS_OWN_RATIO = "+ratio=";

    /** The method of variants that do not merge. */
    private static final String NONE = "none";

    /**
     * Each variant with each ratio, but one that does not merge once.
     *
     * @param base all other options of merging
     * @throws IllegalArgumentException as {@link #of}
     */
    public static List<Setting> all(List<String> variants, List<Double> ratios, ToMeOptions base) {
        List<Setting> settings = new ArrayList<>();
        for (String variant : variants) {
            ratios.stream().map(ratio -> of(variant, ratio, base)).distinct().forEach(settings::add);
        }
        return List.copyOf(settings);
    }

    /**
     * @param variant as above
     * @param ratio the share of tokens to merge away, above 0 and up to 1; without meaning for {@code none}
     * @param base all other options of merging
     * @throws IllegalArgumentException if there is no such variant, or an option does not go with another
     */
    public static Setting of(String variant, double ratio, ToMeOptions base) {
        if (!(ratio > 0 && ratio <= 1)) {
            throw new OptionException("{ratios} has " + ratio
                    + ": each is a share of tokens to merge away, above 0 and up to 1; the unmerged image is always"
                    + " there");
        }
        List<String> parts = Arrays.asList(variant.split("\\+", -1));
        Savings savings = Savings.of(withMethod(base.with(ToMeOptions.RATIO, ratio), parts.get(0)));
        for (String part : parts.subList(1, parts.size())) {
            savings = withOption(savings, variant, part);
        }
        if (savings.isNone()) {
            throw new OptionException("{methods} has '" + variant
                    + "', which is the unmerged image: what to leave out follows a plus, none+reuse-every=3");
        }
        return new Setting(variant, savings);
    }

    private static ToMeOptions withMethod(ToMeOptions base, String method) {
        if (method.equals(NONE)) {
            return ToMeOptions.NONE;
        }
        if (method.equals(TOMESD)) {
            return base.sizeWeighted(false).method(ToMeOptions.Method.TOME).mode(ToMeOptions.Mode.TOMESD);
        }
        for (ToMeOptions.Method known : ToMeOptions.Method.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(method)) {
                return base.method(known);
            }
        }
        throw new OptionException("{methods} has '" + OptionException.literal(method) + "': it must be one of "
                + ToMeOptions.METHOD.takes().replace("|", ", ") + ", tomesd, none");
    }

    /** An option after a plus: {@code match-every=2}, or a flag that is not as usual, {@code merge-mlp} or {@code no-rand}. */
    private static Savings withOption(Savings savings, String variant, String part) {
        int equals = part.indexOf('=');
        String name = equals < 0 ? part : part.substring(0, equals);
        List<Option<?>> options = Stream.concat(
                        savings.merges() ? MERGING.stream() : Stream.of(), Savings.OPTIONS.stream())
                .toList();
        Option<?> option = options.stream()
                .filter(candidate -> called(candidate).equals(name))
                .findFirst()
                .orElseThrow(() -> new OptionException("{methods} has '" + OptionException.literal(variant)
                        + "', and there is no option '" + OptionException.literal(name)
                        + "' to follow a plus: there are "
                        + options.stream().map(Setting::called).collect(Collectors.joining(", "))));
        if (option.isFlag() != (equals < 0)) {
            throw new OptionException("{methods} has '" + OptionException.literal(variant) + "', and " + name
                    + (option.isFlag() ? " takes no value" : " needs one: " + name + "=" + option.takes()));
        }
        String value = equals < 0 ? turned(option) : part.substring(equals + 1);
        try {
            return Savings.OPTIONS.contains(option)
                    ? savings.withText(option, value)
                    : savings.merging(savings.merging().withText(option, value));
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

    /** How tokens are merged. */
    public ToMeOptions merging() {
        return savings.merging();
    }

    /** Whether it merges. */
    public boolean merges() {
        return savings.merges();
    }

    /** Whether it is another setting than {@link #UNMERGED}. */
    public boolean saves() {
        return !savings.isNone();
    }

    /** The share of tokens to merge away, in the first step; 0 without merging. */
    public double ratio() {
        return merging().ratio();
    }

    /** What people call it: {@code tome 0.5}; {@code none+reuse-every=3}; {@code unmerged}. */
    public String label() {
        if (!merges()) {
            return saves() ? variant : "unmerged";
        }
        return variant.contains(ITS_OWN_RATIO) ? variant : variant + " " + ratio();
    }

    /** As {@link #label}, for use in a file's name. */
    public String slug() {
        return label().replace(' ', '-');
    }
}
