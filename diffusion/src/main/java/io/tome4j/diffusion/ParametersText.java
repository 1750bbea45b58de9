package io.tome4j.diffusion;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The grammar of A1111's parameters text, and nothing of what the keys mean: lines of prompt, lines of negative prompt
 * from the first that starts with {@code Negative prompt:} on, and a line of {@code key: value} pairs.
 *
 * @param prompt its lines, each without the white space around it
 * @param negativePrompt likewise
 * @param values the pairs, unquoted; empty if there is no line of them
 */
record ParametersText(String prompt, String negativePrompt, Map<String, String> values) {
    static final String NEGATIVE_PROMPT = "Negative prompt";
    static final String STEPS = "Steps";
    private static final String MARK = NEGATIVE_PROMPT + ":";

    /** Lines that some programs write after that of the pairs. */
    private static final Pattern TEMPLATE = Pattern.compile("(Negative )?Template: .*");

    /** SD.Next has written bars in place of commas. */
    private static final Pattern PIPED = Pattern.compile("\\s*Steps: \\d+ \\| .*");

    /**
     * Reads a text as the web UI does: every line that starts with {@code Negative prompt:} loses that. The line of pairs is
     * the last one; of lines after it those of prompt templates are passed over.
     */
    static ParametersText parse(String text) {
        List<String> lines = new ArrayList<>(List.of(text.strip().split("\n", -1)));
        int last = lines.size() - 1;
        while (last > 0 && TEMPLATE.matcher(lines.get(last).strip()).matches()) {
            last--;
        }
        Map<String, String> values = pairs(lines.get(last));
        if (values.containsKey(STEPS)) {
            lines.subList(last, lines.size()).clear();
        } else {
            values = Map.of();
        }
        List<String> prompt = new ArrayList<>();
        List<String> negative = new ArrayList<>();
        List<String> current = prompt;
        for (String line : lines) {
            String stripped = line.strip();
            if (stripped.startsWith(MARK)) {
                current = negative;
                stripped = stripped.substring(MARK.length()).strip();
            }
            current.add(stripped);
        }
        return new ParametersText(String.join("\n", prompt), String.join("\n", negative), values);
    }

    /** The whole text; the pairs are written in their order. */
    String write() {
        StringBuilder text = new StringBuilder();
        if (!prompt.isEmpty()) {
            text.append(prompt).append('\n');
        }
        if (!negativePrompt.isEmpty()) {
            text.append(MARK).append(' ').append(marked(negativePrompt)).append('\n');
        }
        List<String> pairs = new ArrayList<>();
        values.forEach((key, value) -> pairs.add(key + ": " + quoteIfNeeded(value)));
        return text.append(String.join(", ", pairs)).toString();
    }

    /** A further line that begins as the first one does would lose its beginning: it gets another one to lose. */
    private static String marked(String negativePrompt) {
        String[] lines = negativePrompt.split("\n", -1);
        for (int i = 1; i < lines.length; i++) {
            lines[i] = lines[i].strip().startsWith(MARK) ? MARK + " " + lines[i] : lines[i];
        }
        return String.join("\n", lines);
    }

    private static Map<String, String> pairs(String text) {
        String line = PIPED.matcher(text).matches() ? text.replace(" | ", ", ") : text;
        Map<String, String> pairs = new LinkedHashMap<>();
        int at = 0;
        while (at < line.length()) {
            int colon = line.indexOf(':', at);
            if (colon < 0) {
                break;
            }
            String key = line.substring(at, colon).strip();
            int start = colon + 1;
            while (start < line.length() && line.charAt(start) == ' ') {
                start++;
            }
            int end = endOfValue(line, start);
            pairs.put(key, unquote(line.substring(start, end).strip()));
            at = end + 1;
        }
        return pairs;
    }

    /** The index of the comma after the value, or the line's length. */
    private static int endOfValue(String line, int start) {
        int from = start;
        if (start < line.length() && line.charAt(start) == '"') {
            for (int i = start + 1; i < line.length() && from == start; i++) {
                if (line.charAt(i) == '\\') {
                    i++;
                } else if (line.charAt(i) == '"') {
                    from = i;
                }
            }
        }
        int comma = line.indexOf(',', from);
        return comma < 0 ? line.length() : comma;
    }

    private static String quoteIfNeeded(String value) {
        boolean plain = !value.isEmpty()
                && value.equals(value.strip())
                && value.chars().noneMatch(c -> c == ',' || c == ':' || c == '"' || Character.isISOControl(c))
                && value.equals(wellFormed(value));
        return plain ? value : quote(value);
    }

    /** A JSON string on one line that survives Latin-1 and UTF-8 alike. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c == '\n') {
                out.append("\\n");
            } else if (c == '\t') {
                out.append("\\t");
            } else if (Character.isISOControl(c) || isLoneSurrogate(text, i)) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    /** A JSON array of strings. */
    static String quote(List<String> texts) {
        return "[" + String.join(", ", texts.stream().map(ParametersText::quote).toList()) + "]";
    }

    /** What {@link #quote(List)} wrote. Other arrays give whatever strings can be found in them. */
    static List<String> unquoteList(String array) {
        List<String> texts = new ArrayList<>();
        int at = array.indexOf('"');
        while (at >= 0) {
            int end = at + 1;
            while (end < array.length() && array.charAt(end) != '"') {
                end += array.charAt(end) == '\\' ? 2 : 1;
            }
            texts.add(unquote(array.substring(at, Math.min(end + 1, array.length()))));
            at = array.indexOf('"', end + 1);
        }
        return texts;
    }

    /** The text in a JSON string; anything else as it stands. */
    static String unquote(String value) {
        if (value.length() < 2 || !value.startsWith("\"") || !value.endsWith("\"")) {
            return value;
        }
        StringBuilder out = new StringBuilder();
        int last = value.length() - 1;
        for (int i = 1; i < last; i++) {
            char c = value.charAt(i);
            if (c != '\\' || i + 1 == last) {
                out.append(c);
                continue;
            }
            char escaped = value.charAt(++i);
            if (escaped == 'u' && i + 4 < last && isHex(value.substring(i + 1, i + 5))) {
                out.append((char) Integer.parseInt(value.substring(i + 1, i + 5), 16));
                i += 4;
            } else {
                out.append(unescape(escaped));
            }
        }
        return out.toString();
    }

    private static char unescape(char escaped) {
        return switch (escaped) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            default -> escaped; // a quote, a backslash, a slash
        };
    }

    private static boolean isHex(String digits) {
        return digits.chars().allMatch(c -> Character.digit(c, 16) >= 0);
    }

    private static boolean isLoneSurrogate(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    /** The text as it can be shown and encoded: control characters become spaces, half characters the sign for that. */
    static String wellFormed(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isLoneSurrogate(text, i)) {
                out.append('\ufffd');
            } else {
                out.append(Character.isISOControl(c) && c != '\n' ? ' ' : c);
            }
        }
        return out.toString();
    }
}
