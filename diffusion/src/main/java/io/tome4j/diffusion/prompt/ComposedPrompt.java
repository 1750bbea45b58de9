package io.tome4j.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt whose parts are predicted apart and added up (composable diffusion, arXiv 2206.01714, section 4): {@code a cat AND a
 * dog:0.7}, in the syntax of Automatic1111's web UI. A weight is a colon and a number at a part's end, also of the only part.
 *
 * @param parts at least one
 */
public record ComposedPrompt(List<Part> parts) {
    private static final Pattern AND = Pattern.compile("\\bAND\\b", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern NUMBER = Pattern.compile("[-+]?([0-9]+\\.?|[0-9]*\\.[0-9]+)");

    /** Digits of a weight, at most: what is longer is text. */
    private static final int LONGEST_NUMBER = 64;

    /**
     * @param text without its weight; it may change with the step
     * @param weight 1 if none is written; may be negative
     */
    public record Part(String text, double weight) {
        private static Part of(String written) {
            String text = written.substring(0, endOfText(written, written.length()));
            int colon = text.lastIndexOf(':');
            if (colon < 0 || text.length() - colon > LONGEST_NUMBER) {
                return new Part(text, 1);
            }
            String number = text.substring(colon + 1).strip();
            Matcher matcher = NUMBER.matcher(number);
            return matcher.matches()
                    ? new Part(text.substring(0, endOfText(text, colon)), Double.parseDouble(number))
                    : new Part(text, 1);
        }

        /** Where blanks at the end begin. */
        private static int endOfText(String text, int end) {
            int last = end;
            while (last > 0 && Character.isWhitespace(text.charAt(last - 1))) {
                last--;
            }
            return last;
        }
    }

    public ComposedPrompt {
        parts = List.copyOf(parts);
    }

    /** Reads a prompt. */
    public static ComposedPrompt parse(String prompt) {
        List<Part> parts = new ArrayList<>();
        for (String part : AND.split(prompt, -1)) {
            parts.add(Part.of(part));
        }
        return new ComposedPrompt(parts);
    }
}
