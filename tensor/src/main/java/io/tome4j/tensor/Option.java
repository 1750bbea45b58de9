package io.tome4j.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * One thing that a user may choose, declared once: its name, default and range, and how it is written and read. Command
 * lines, texts in images, JSON and what kept results are known by all go by it.
 *
 * @param <T> {@link Boolean}, {@link Integer}, {@link Long}, {@link Double}, {@link String} or an enum
 */
public final class Option<T> {
    private static final int LONGEST_QUOTE = 80;

    private final String name;
    private final T defaultValue;
    private final String title;
    private final String takes;
    private final String description;
    private final Predicate<T> allowed;
    private final String rule;

    private Option(
            String name,
            T defaultValue,
            String title,
            String takes,
            String description,
            Predicate<T> allowed,
            String rule) {
        this.name = name;
        this.defaultValue = defaultValue;
        this.title = title;
        this.takes = takes;
        this.description = description;
        this.allowed = allowed;
        this.rule = rule;
    }

    /**
     * An option that may have any value of its default's type.
     *
     * @param name in snake_case, that of diffusers or tomesd where they have it: {@code max_downsample}
     */
    public static <T> Option<T> of(String name, T defaultValue) {
        String takes = defaultValue instanceof Enum<?> constant ? String.join("|", constants(constant)) : "N";
        return new Option<>(name, defaultValue, name, takes, "", value -> true, "");
    }

    /** The same with the key that it has among the parameters in an image: {@code Token merging ratio}. */
    public Option<T> titled(String newTitle) {
        return new Option<>(name, defaultValue, newTitle, takes, description, allowed, rule);
    }

    /**
     * The same with words for a help text.
     *
     * @param what stands for its value: {@code PIXELS}
     * @param sentence what it does
     */
    public Option<T> described(String what, String sentence) {
        return new Option<>(name, defaultValue, title, what, sentence, allowed, rule);
    }

    /** As {@link #described(String, String)}, where the values themselves say what it takes. */
    public Option<T> described(String sentence) {
        return described(takes, sentence);
    }

    /**
     * The same with a range.
     *
     * @param range whether a value is in it
     * @param sentence what follows the value in the message if it is not: {@code it must be at least 1}
     */
    public Option<T> allowing(Predicate<T> range, String sentence) {
        return new Option<>(name, defaultValue, title, takes, description, range, sentence);
    }

    /** Its name, in snake_case. */
    public String name() {
        return name;
    }

    /** Its name among the parameters in an image. */
    public String title() {
        return title;
    }

    /** What it is where nothing is said. */
    public T defaultValue() {
        return defaultValue;
    }

    /** What stands for its value in a help text. */
    public String takes() {
        return takes;
    }

    /** What it does, a sentence. */
    public String description() {
        return description;
    }

    /** Whether it is on or off. */
    public boolean isFlag() {
        return defaultValue instanceof Boolean;
    }

    /**
     * Passes a value that is in the range.
     *
     * @throws OptionException if it is not
     */
    public T require(T value) {
        if (!allowed.test(value)) {
            throw new OptionException("{" + name + "} is " + shortened(format(value)) + ": " + rule);
        }
        return value;
    }

    /** A value as text; enums are in lower case, whole numbers without a fraction, those of 64 bits without a sign. */
    public String format(T value) {
        if (value instanceof Enum<?> constant) {
            return lowerCase(constant);
        } else if (value instanceof Long number) {
            return Long.toUnsignedString(number);
        }
        String text = String.valueOf(value);
        return value instanceof Double && text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    /**
     * Reads what {@link #format} wrote, in whatever case, with blanks for underscores as others may write it.
     *
     * @throws OptionException if it is no value of this option
     */
    public T parse(String text) {
        return require(parsed(text));
    }

    @SuppressWarnings("unchecked") // the value has the default's type
    private T parsed(String text) {
        try {
            if (defaultValue instanceof Enum<?> constant) {
                return (T) Enum.valueOf(
                        constant.getDeclaringClass(),
                        text.toUpperCase(Locale.ROOT).replace(' ', '_').replace('-', '_'));
            } else if (defaultValue instanceof Boolean) {
                return (T) flag(text);
            } else if (defaultValue instanceof Integer) {
                return (T) Integer.valueOf(text);
            } else if (defaultValue instanceof Long) {
                return (T) (Long) wholeNumber(text);
            } else if (defaultValue instanceof Double) {
                return (T) Double.valueOf(text);
            }
            return (T) text;
        } catch (IllegalArgumentException e) {
            throw new OptionException("{" + name + "} is '" + shortened(text) + "': it must be " + kind(), e);
        }
    }

    /**
     * Reads a whole number of 64 bits, with a sign or without: seeds go up to 2^64 - 1, which is the same as -1.
     *
     * @throws NumberFormatException if it is none
     */
    public static long wholeNumber(String text) {
        return text.startsWith("-") || text.startsWith("+") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
    }

    private static Boolean flag(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private String kind() {
        if (defaultValue instanceof Enum<?> constant) {
            return "one of " + String.join(", ", constants(constant));
        } else if (defaultValue instanceof Boolean) {
            return "true or false";
        }
        return defaultValue instanceof Double ? "a number" : "a whole number";
    }

    /** No message quotes a whole megabyte. */
    private static String shortened(String text) {
        return OptionException.literal(
                text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...");
    }

    private static List<String> constants(Enum<?> constant) {
        return Arrays.stream(constant.getDeclaringClass().getEnumConstants())
                .map(each -> lowerCase((Enum<?>) each))
                .toList();
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return name;
    }
}
