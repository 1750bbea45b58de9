package io.tome4j.diffusion.prompt;

import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads compel's syntax, rule by rule as its grammar has them: at each place the first rule that fits counts, blanks before what
 * it begins with are skipped, and what fits no rule is a word. A rule gives what it found and where that ends, or null.
 */
final class CompelParser {
    private static final double PLUS = 1.1;
    private static final double MINUS = 0.9;
    private static final String SYNTACTIC = "()\",.+-=";
    private static final String BLANK = " \t\n\r\u000b\f";
    private static final Pattern REAL = Pattern.compile("[+-]?(?:\\d+\\.\\d*|\\d*\\.\\d+)");
    private static final Pattern WHOLE = Pattern.compile("-?\\d+");
    private static final Pattern KEYWORD = Pattern.compile("[A-Za-z0-9_-]+");
    private static final int DEEPEST = 100;

    /** Words found, and where the text goes on. */
    private record Found(List<WeightedText> words, int end) {
        Found times(double weight, int newEnd) {
            return new Found(
                    words.stream()
                            .map(word -> new WeightedText(word.text(), word.weight() * weight))
                            .toList(),
                    newEnd);
        }
    }

    /** A weight, and where the text goes on. */
    private record Weight(double value, int end) {}

    private final String text;
    private final int depth;
    private final Map<Integer, Optional<Found>> brackets = new HashMap<>(); // by place: tried by several rules
    private final Map<Integer, Optional<Found>> quotes = new HashMap<>();

    CompelParser(String text) {
        this(text, 0);
    }

    private CompelParser(String text, int depth) {
        if (depth > DEEPEST) {
            throw new OptionException("{prompt} has too many brackets in one another");
        }
        this.text = text;
        this.depth = depth;
    }

    /** All of a text that is neither a conjunction nor a blend. */
    List<WeightedText> words() {
        List<WeightedText> words = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            Found found = attention(at, depth);
            found = found == null ? quoted(at) : found;
            found = found == null ? bracket(at, depth) : found;
            if (found == null && !isBlank(at)) {
                int end = at;
                while (end < text.length() && !isBlank(end)) {
                    end++;
                }
                found = new Found(List.of(word(text.substring(at, end))), end);
            }
            if (found == null) {
                at++;
            } else {
                words.addAll(found.words());
                at = found.end();
            }
        }
        return words;
    }

    /** {@code ("a", "b").and(1, 0.5)}. */
    Optional<CompelPrompt> conjunction() {
        return operator(List.of(".and", ".add"), CompelPrompt::conjunction);
    }

    /** {@code ("a", "b").blend(1, 0.5)}. */
    Optional<CompelPrompt> blend() {
        return operator(List.of(".blend"), CompelPrompt::blend);
    }

    /** Makes a prompt of texts and what stands in the brackets behind an operator. */
    @FunctionalInterface
    private interface Operation {
        CompelPrompt of(List<List<WeightedText>> texts, List<String> options);
    }

    private Optional<CompelPrompt> operator(List<String> names, Operation operation) {
        int at = literal(0, "(");
        List<List<WeightedText>> texts = new ArrayList<>();
        while (at >= 0) {
            Found target = target(at, depth);
            target = target == null ? quotedPrompt(at) : target;
            if (target == null) {
                return Optional.empty();
            }
            texts.add(target.words());
            int comma = literal(target.end(), ",");
            if (comma < 0) {
                at = literal(target.end(), ")");
                break;
            }
            at = comma;
        }
        for (String name : names) {
            int arguments = at < 0 ? -1 : literal(at, name);
            arguments = arguments < 0 ? -1 : literal(arguments, "(");
            if (arguments >= 0) {
                List<String> options = new ArrayList<>();
                int end = literal(options(arguments, options), ")");
                if (end >= 0) {
                    requireEnd(end, name);
                    return Optional.of(operation.of(texts, options));
                }
            }
        }
        return Optional.empty();
    }

    private void requireEnd(int at, String operator) {
        if (skipped(at) < text.length()) {
            throw new OptionException("{prompt} goes on behind " + operator + "(...), where nothing may follow: "
                    + OptionException.literal(text.substring(at)));
        }
    }

    /** Numbers and flags between commas. */
    private int options(int from, List<String> options) {
        int at = from;
        while (true) {
            int start = skipped(at);
            int end = matched(REAL, start);
            end = end < 0 ? matched(WHOLE, start) : end;
            end = end < 0 ? matched(KEYWORD, start) : end;
            if (end < 0) {
                return at;
            }
            options.add(text.substring(start, end));
            int comma = literal(end, ",");
            if (comma < 0) {
                return end;
            }
            at = comma;
        }
    }

    /** What an operator may stand behind. */
    private @Nullable Found target(int at, int level) {
        Found found = quoted(at);
        found = found == null ? bracket(at, level) : found;
        return found == null ? plainWord(at) : found;
    }

    /** {@code (a b)1.3}, {@code "a b"++}, {@code a--}, {@code a.attend(1.2)}. */
    private @Nullable Found attention(int at, int level) {
        Found target = target(at, level);
        if (target != null) {
            int open = literal(target.end(), ".attend");
            open = open < 0 ? -1 : literal(open, "(");
            Weight weight = open < 0 ? null : weight(skipped(open), true);
            int end = weight == null ? -1 : literal(weight.end(), ")");
            if (weight != null && end >= 0) {
                return target.times(weight.value(), end);
            }
        }
        Found enclosed = quoted(at);
        enclosed = enclosed == null ? bracket(at, level) : enclosed;
        Weight weight = enclosed == null ? null : weight(enclosed.end(), true);
        if (enclosed != null && weight != null) {
            return enclosed.times(weight.value(), weight.end());
        }
        Found plain = plainWord(at);
        weight = plain == null ? null : weight(plain.end(), false);
        return plain == null || weight == null ? null : plain.times(weight.value(), weight.end());
    }

    private @Nullable Weight weight(int at, boolean mayBeNumber) {
        for (char sign : new char[] {'+', '-'}) {
            int end = at;
            while (end < text.length() && text.charAt(end) == sign) {
                end++;
            }
            if (end > at) {
                return new Weight(Math.pow(sign == '+' ? PLUS : MINUS, end - at), end);
            }
        }
        int end = mayBeNumber ? matched(REAL, at) : -1;
        end = mayBeNumber && end < 0 ? matched(WHOLE, at) : end;
        return end < 0 ? null : new Weight(Double.parseDouble(text.substring(at, end)), end);
    }

    /** {@code (a b)}, with commas, weights and further brackets in it. */
    private @Nullable Found bracket(int from, int level) {
        int at = skipped(from);
        Optional<Found> known = brackets.get(at);
        if (known == null) {
            known = Optional.ofNullable(newBracket(at, level));
            brackets.put(at, known);
        }
        return known.orElse(null);
    }

    private @Nullable Found newBracket(int at, int level) {
        if (level > DEEPEST) {
            throw new OptionException("{prompt} has too many brackets in one another");
        }
        int open = literal(at, "(");
        if (open < 0) {
            return null;
        }
        Found inside = enclosed(open, level + 1);
        int close = literal(inside.end(), ")");
        return close < 0 ? null : new Found(inside.words(), close);
    }

    /** What may stand between brackets or quotation marks. */
    private Found enclosed(int from, int level) {
        List<WeightedText> words = new ArrayList<>();
        int at = from;
        while (true) {
            Found found = attention(at, level);
            found = found == null ? bracket(at, level) : found;
            found = found == null ? quoted(at) : found;
            found = found == null ? plainWord(at) : found;
            found = found == null ? mark(at) : found;
            if (found == null) {
                return new Found(words, at);
            }
            words.addAll(found.words());
            at = found.end();
        }
    }

    private @Nullable Found mark(int from) {
        int at = skipped(from);
        boolean isMark = at < text.length() && (text.charAt(at) == ',' || text.charAt(at) == '.');
        return isMark ? new Found(List.of(word(text.substring(at, at + 1))), at + 1) : null;
    }

    /** A word without syntax, but for what a backslash makes text, and hyphens inside. */
    private @Nullable Found plainWord(int from) {
        int start = skipped(from);
        int at = start;
        while (at < text.length()) {
            char c = text.charAt(at);
            boolean escaped = c == '\\' && at + 1 < text.length() && SYNTACTIC.indexOf(text.charAt(at + 1)) >= 0;
            boolean hyphen = (c == '-' || c == '+')
                    && at + 1 < text.length()
                    && !isBlank(at + 1)
                    && SYNTACTIC.indexOf(text.charAt(at + 1)) < 0;
            if (escaped) {
                at += 2;
            } else if (hyphen || (!isBlank(at) && SYNTACTIC.indexOf(c) < 0)) {
                at++;
            } else {
                break;
            }
        }
        return at == start ? null : new Found(List.of(word(text.substring(start, at))), at);
    }

    /** {@code "a b"}: what is in it must all fit the rules of brackets. */
    private @Nullable Found quoted(int from) {
        int at = skipped(from);
        Optional<Found> known = quotes.get(at);
        if (known == null) {
            known = Optional.ofNullable(newQuoted(at));
            quotes.put(at, known);
        }
        return known.orElse(null);
    }

    private @Nullable Found newQuoted(int at) {
        int close = closingQuote(at);
        if (close < 0) {
            return null;
        }
        String inside = unquoted(at, close);
        if (inside.isBlank()) {
            return new Found(List.of(new WeightedText("", 1)), close + 1);
        }
        CompelParser parser = new CompelParser(inside, depth + 1);
        Found found = parser.enclosed(0, depth + 1);
        return parser.skipped(found.end()) < inside.length() ? null : new Found(found.words(), close + 1);
    }

    /** As {@link #quoted}, where anything may be in it. */
    private @Nullable Found quotedPrompt(int from) {
        int at = skipped(from);
        int close = closingQuote(at);
        return close < 0 ? null : new Found(new CompelParser(unquoted(at, close), depth + 1).words(), close + 1);
    }

    /** The quotation mark that ends what begins with one; if all others have a backslash, the last of these. */
    private int closingQuote(int at) {
        if (at >= text.length() || text.charAt(at) != '"') {
            return -1;
        }
        int lastEscaped = -1;
        for (int i = at + 1; i < text.length() && text.charAt(i) != '\n' && text.charAt(i) != '\r'; i++) {
            if (text.startsWith("\\\"", i)) {
                lastEscaped = ++i;
            } else if (text.charAt(i) == '"') {
                return i;
            }
        }
        return lastEscaped;
    }

    /** What is between, in which quotation marks still have a backslash. */
    private String unquoted(int open, int close) {
        return text.substring(open + 1, close).replaceAll("\\\\[tnrf]", " ");
    }

    private static WeightedText word(String written) {
        return new WeightedText(written.replace("\\(", "(").replace("\\)", ")").replace("\\\"", "\""), 1);
    }

    private int matched(Pattern pattern, int at) {
        Matcher matcher = pattern.matcher(text).region(Math.min(at, text.length()), text.length());
        return matcher.lookingAt() ? matcher.end() : -1;
    }

    /** Where the text goes on behind a literal; -1 if it is not there. */
    private int literal(int from, String literal) {
        int at = skipped(from);
        return text.startsWith(literal, at) ? at + literal.length() : -1;
    }

    private int skipped(int from) {
        int at = from;
        while (at < text.length() && isBlank(at)) {
            at++;
        }
        return at;
    }

    private boolean isBlank(int at) {
        return BLANK.indexOf(text.charAt(at)) >= 0;
    }
}
