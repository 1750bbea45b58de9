package io.tome4j.diffusion.prompt;

import io.tome4j.tensor.OptionException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A piece of a prompt and how much it counts, in the syntax of Automatic1111's web UI: {@code (a)} counts 1.1 times,
 * {@code [a]} a 1.1th, {@code (a:1.3)} 1.3 times; inside one another they multiply. A backslash makes a bracket text. A bracket
 * that is never closed counts to the end, one that closes nothing is text.
 *
 * @param text as it goes to the tokenizer
 * @param weight 1 for what stands in no brackets; of {@link #isBreak} it is -1
 */
public record WeightedText(String text, double weight) {
    private static final String BREAK = "BREAK";
    private static final double ROUND = 1.1;
    private static final double SQUARE = 1 / 1.1;
    private static final Pattern BREAKS = Pattern.compile("\\bBREAK\\b", Pattern.UNICODE_CHARACTER_CLASS);

    /** A closing bracket with a weight, from its colon on. */
    private static final Pattern WEIGHT =
            Pattern.compile(":\\s*([+-]?[.0-9]+)\\s*\\)", Pattern.UNICODE_CHARACTER_CLASS);

    /** What 10,000 brackets in one another need, and more. */
    private static final long MOST_PRODUCTS = 1 << 28;

    /** Whether this is the word BREAK, behind which another chunk of tokens begins. */
    public boolean isBreak() {
        return weight == -1 && text.equals(BREAK);
    }

    /**
     * Reads a prompt.
     *
     * @param prompt any text; of one that changes with the step, the text of a step
     * @return its pieces in order, at least one; neighbours differ in weight
     * @throws OptionException if brackets are nested beyond all measure
     */
    public static List<WeightedText> parse(String prompt) {
        Reading reading = new Reading(prompt);
        reading.read();
        return reading.joined();
    }

    /** One pass over a prompt. Round and square brackets are counted apart: {@code (a [b) c]} weighs b twice. */
    private static final class Reading {
        private final String prompt;
        private final List<String> texts = new ArrayList<>();
        private double[] weights = new double[16];
        private final Deque<Integer> round = new ArrayDeque<>(); // the first piece in each open bracket
        private final Deque<Integer> square = new ArrayDeque<>();
        private long products;

        Reading(String prompt) {
            this.prompt = prompt;
        }

        void read() {
            Matcher weight = WEIGHT.matcher(prompt);
            int at = 0;
            while (at < prompt.length()) {
                char c = prompt.charAt(at);
                int end = at + 1;
                if (c == '\\') {
                    end += end < prompt.length() && "()[]\\".indexOf(prompt.charAt(end)) >= 0 ? 1 : 0;
                    add(prompt.substring(at + 1, end), 1);
                } else if (c == '(') {
                    round.push(texts.size());
                } else if (c == '[') {
                    square.push(texts.size());
                } else if (c == ')' && !round.isEmpty()) {
                    multiply(round.pop(), ROUND);
                } else if (c == ']' && !square.isEmpty()) {
                    multiply(square.pop(), SQUARE);
                } else if (c == ':' && weight.region(at, prompt.length()).lookingAt()) {
                    end = weight.end();
                    if (round.isEmpty() || !isNumber(weight.group(1))) {
                        addWithBreaks(weight.group());
                    } else {
                        multiply(round.pop(), Double.parseDouble(weight.group(1)));
                    }
                } else {
                    while ("\\()[]:".indexOf(c) < 0
                            && end < prompt.length()
                            && "\\()[]:".indexOf(prompt.charAt(end)) < 0) {
                        end++;
                    }
                    addWithBreaks(prompt.substring(at, end));
                }
                at = end;
            }
            // Outermost last, as for brackets that are closed; the order of factors shows in the last bit.
            for (var open = round.descendingIterator(); open.hasNext(); ) {
                multiply(open.next(), ROUND);
            }
            for (var open = square.descendingIterator(); open.hasNext(); ) {
                multiply(open.next(), SQUARE);
            }
        }

        /** Digits and dots are not always a number: 1.2.3 is none. */
        private static boolean isNumber(String text) {
            return text.matches("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)");
        }

        private void addWithBreaks(String text) {
            int from = 0;
            for (Matcher breaks = BREAKS.matcher(text); breaks.find(); ) {
                int end = breaks.start();
                while (end > from && isBlank(text.charAt(end - 1))) {
                    end--;
                }
                add(text.substring(from, end), 1);
                add(BREAK, -1);
                from = breaks.end();
                while (from < text.length() && isBlank(text.charAt(from))) {
                    from++;
                }
            }
            add(text.substring(from), 1);
        }

        /** As Python has it. The blanks are no part of the pattern: those of a prompt of blanks would be gone over again from each. */
        private static boolean isBlank(char c) {
            return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
        }

        private void add(String text, double weight) {
            if (texts.size() == weights.length) {
                weights = Arrays.copyOf(weights, 2 * weights.length);
            }
            weights[texts.size()] = weight;
            texts.add(text);
        }

        private void multiply(int from, double factor) {
            products += texts.size() - from;
            if (products > MOST_PRODUCTS) {
                throw new OptionException("{prompt} has too many brackets in one another");
            }
            for (int i = from; i < texts.size(); i++) {
                weights[i] *= factor;
            }
        }

        List<WeightedText> joined() {
            if (texts.isEmpty()) {
                return List.of(new WeightedText("", 1));
            }
            List<WeightedText> pieces = new ArrayList<>();
            for (int i = 0; i < texts.size(); ) {
                StringBuilder text = new StringBuilder();
                int first = i;
                while (i < texts.size() && weights[i] == weights[first]) {
                    text.append(texts.get(i++));
                }
                pieces.add(new WeightedText(text.toString(), weights[first]));
            }
            return List.copyOf(pieces);
        }
    }
}
