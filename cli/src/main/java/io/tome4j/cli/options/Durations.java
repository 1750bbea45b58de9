package io.tome4j.cli.options;

import io.tome4j.tensor.OptionException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as users write them: {@code 1h30m}, {@code 90s}, {@code 2.5s}. */
public final class Durations {
    private static final Pattern PARTS =
            Pattern.compile("(?:(\\d{1,4})h)?(?:(\\d{1,5})m)?(?:(\\d{1,7})(?:\\.(\\d{1,9}))?s)?");

    private Durations() {}

    /**
     * @param option what the text was given for
     * @param others what else the option takes, for the message: {@code , or none}
     * @throws OptionException if it is no duration
     */
    public static Duration parse(String option, String text, String others) {
        Matcher matcher = PARTS.matcher(text);
        if (text.isEmpty() || !matcher.matches()) {
            throw new OptionException(option + " is " + OptionException.literal(text)
                    + ": say hours, minutes or seconds, such as 1h30m, 10m or 90s" + others);
        }
        String fraction = matcher.group(4) == null ? "" : matcher.group(4);
        return Duration.ofHours(number(matcher.group(1)))
                .plusMinutes(number(matcher.group(2)))
                .plusSeconds(number(matcher.group(3)))
                .plusNanos(number(fraction + "0".repeat(9 - fraction.length())));
    }

    private static long number(@Nullable String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }
}
