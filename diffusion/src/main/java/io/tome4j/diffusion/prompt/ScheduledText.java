package io.tome4j.diffusion.prompt;

import io.tome4j.tensor.OptionException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The texts that a prompt is in the course of the steps, in the syntax of Automatic1111's web UI: {@code [from:to:when]},
 * {@code [to:when]}, {@code [from::when]}, and {@code [a|b]}, which changes in each step. Such brackets may stand in one another;
 * other brackets, and those that do not fit together, are text. A bar that separates no alternatives makes all of the prompt
 * text.
 *
 * @param text from the step after the variant before this one ends, or the first
 * @param lastStep the last step it is for, from 1; of the last variant the number of steps
 */
public record ScheduledText(String text, int lastStep) {
    private static final Pattern NUMBER =
            Pattern.compile("\\s*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\s*");

    /** Digits of a number, at most: what is longer is text. */
    private static final int LONGEST_NUMBER = 64;

    private static final long MOST_CHARACTERS = 1 << 24;

    /**
     * Which steps a prompt is for.
     *
     * @param count how many, at least 1
     * @param before how many steps an earlier pass had, 0 without one: then {@code when} counts from that pass's beginning,
     *     shares of the steps above 1 belonging to this pass
     */
    public record Steps(int count, int before) {
        /** The last step, from 1, at which what stands before {@code when} holds; 0 or less for none. */
        private int last(String when) {
            double number = Double.parseDouble(when);
            double last = when.contains(".") ? (number - (before > 0 ? 1 : 0)) * count : number - before;
            return (int) Math.min(count, last); // cut off towards 0, as the web UI does
        }
    }

    /** Text, or what stands for it in a step. */
    private sealed interface Node {
        record Plain(String text) implements Node {}

        record Group(List<Node> nodes) implements Node {}

        record Switch(List<Node> from, List<Node> to, int last) implements Node {}

        record Alternate(List<List<Node>> options) implements Node {}
    }

    /**
     * Reads a prompt.
     *
     * @return at least one variant, by their last steps
     * @throws OptionException if it has too many variants for its length
     */
    public static List<ScheduledText> parse(String prompt, Steps steps) {
        Reading reading = new Reading(prompt, steps);
        if (!reading.read()) {
            return List.of(new ScheduledText(prompt, steps.count()));
        }
        long characters = (long) reading.lastSteps.size() * prompt.length();
        if (characters > MOST_CHARACTERS) {
            throw new OptionException("{prompt} changes " + reading.lastSteps.size() + " times and has "
                    + prompt.length() + " characters: at most " + MOST_CHARACTERS + " in all its variants are taken");
        }
        List<ScheduledText> variants = new ArrayList<>();
        for (int last : reading.lastSteps) {
            variants.add(new ScheduledText(at(last, reading.top), last));
        }
        return List.copyOf(variants);
    }

    /** The variant of a step, from 1. */
    public static int indexAt(List<ScheduledText> variants, int step) {
        int index = 0;
        while (index < variants.size() - 1 && variants.get(index).lastStep < step) {
            index++;
        }
        return index;
    }

    private static String at(int step, List<Node> nodes) {
        StringBuilder text = new StringBuilder();
        Deque<Node> open = new ArrayDeque<>(); // a stack of our own, for the same reason
        push(nodes, open);
        while (!open.isEmpty()) {
            Node node = open.pop();
            if (node instanceof Node.Plain plain) {
                text.append(plain.text());
            } else if (node instanceof Node.Group group) {
                push(group.nodes(), open);
            } else if (node instanceof Node.Switch change) {
                push(step <= change.last() ? change.from() : change.to(), open);
            } else if (node instanceof Node.Alternate alternate) {
                push(alternate.options().get((step - 1) % alternate.options().size()), open);
            }
        }
        return text.toString();
    }

    private static void push(List<Node> nodes, Deque<Node> open) {
        for (int i = nodes.size() - 1; i >= 0; i--) {
            open.push(nodes.get(i));
        }
    }

    /** An open bracket with what was read since. */
    private static final class Bracket {
        private final char opening;
        private final List<List<Node>> parts = new ArrayList<>();
        private final List<Character> separators = new ArrayList<>(); // between the parts

        Bracket(char opening) {
            this.opening = opening;
            parts.add(new ArrayList<>());
        }

        List<Node> last() {
            return parts.get(parts.size() - 1);
        }

        void separate(char separator) {
            separators.add(separator);
            parts.add(new ArrayList<>());
        }

        boolean separatedBy(char separator) {
            return separators.stream().allMatch(found -> found == separator);
        }
    }

    /** One pass over a prompt. */
    private static final class Reading {
        private final String prompt;
        private final Steps steps;
        private final List<Node> top = new ArrayList<>();
        private final Deque<Bracket> open = new ArrayDeque<>();
        private final TreeSet<Integer> lastSteps = new TreeSet<>();

        Reading(String prompt, Steps steps) {
            this.prompt = prompt;
            this.steps = steps;
            lastSteps.add(steps.count());
        }

        /** @return false if the prompt is text as a whole */
        boolean read() {
            int at = 0;
            while (at < prompt.length()) {
                char c = prompt.charAt(at);
                if (c == '(' || c == '[') {
                    open.push(new Bracket(c));
                } else if (c == ')' || c == ']') {
                    if (!close(c)) {
                        return false;
                    }
                } else if (c == ':' || c == '|') {
                    if (!open.isEmpty()) {
                        open.peek().separate(c);
                    } else if (c == '|') {
                        return false;
                    } else {
                        text(":");
                    }
                } else {
                    int end = endOfText(at);
                    if (end < 0) {
                        return false;
                    }
                    text(prompt.substring(at, end));
                    at = end - 1;
                }
                at++;
            }
            return allLoose();
        }

        /** @return where text ends that begins here; negative for a backslash with nothing behind it */
        private int endOfText(int from) {
            int end = from;
            while (end < prompt.length() && "()[]:|".indexOf(prompt.charAt(end)) < 0) {
                if (prompt.charAt(end) == '\\') {
                    end++;
                    if (end == prompt.length() || prompt.charAt(end) == '\n') {
                        return -1;
                    }
                }
                end++;
            }
            return end;
        }

        private void text(String text) {
            (open.isEmpty() ? top : open.peek().last()).add(new Node.Plain(text));
        }

        /** @return false if the prompt is text as a whole */
        private boolean close(char closing) {
            Bracket bracket = open.peek();
            boolean fits = bracket != null && bracket.opening == (closing == ')' ? '(' : '[');
            if (fits && bracket.separatedBy(':') && bracket.separators.size() <= (closing == ')' ? 1 : 0)) {
                open.pop();
                List<Node> around = open.isEmpty() ? top : open.peek().last();
                addAsText(bracket, around);
                around.add(new Node.Plain(String.valueOf(closing)));
                return true;
            }
            if (fits && closing == ']' && bracket.separatedBy('|')) {
                open.pop();
                add(new Node.Alternate(bracket.parts));
                for (int step = 1; step <= steps.count(); step++) {
                    lastSteps.add(step);
                }
                return true;
            }
            if (fits && closing == ']' && bracket.separatedBy(':') && bracket.separators.size() <= 2) {
                String when = number(bracket.last());
                if (!when.isEmpty()) {
                    open.pop();
                    addSwitch(bracket, steps.last(when));
                    return true;
                }
            }
            if (!allLoose()) {
                return false;
            }
            text(String.valueOf(closing));
            return true;
        }

        private void addSwitch(Bracket bracket, int last) {
            int to = bracket.parts.size() - 2;
            add(new Node.Switch(to > 0 ? bracket.parts.get(0) : List.of(), bracket.parts.get(to), last));
            if (last >= 1) {
                lastSteps.add(last);
            }
        }

        private void add(Node node) {
            (open.isEmpty() ? top : open.peek().last()).add(node);
        }

        /** The number that a part is; empty if it is none. */
        private static String number(List<Node> part) {
            if (part.size() != 1 || !(part.get(0) instanceof Node.Plain plain)) {
                return "";
            }
            String text = plain.text().strip();
            return text.length() <= LONGEST_NUMBER && NUMBER.matcher(text).matches() ? text : "";
        }

        /** Takes all open brackets for text. @return false if the prompt is text as a whole */
        private boolean allLoose() {
            while (!open.isEmpty()) {
                Bracket bracket = open.removeLast();
                if (bracket.separators.contains('|')) {
                    return false;
                }
                addAsText(bracket, top);
            }
            return true;
        }

        private static void addAsText(Bracket bracket, List<Node> around) {
            around.add(new Node.Plain(String.valueOf(bracket.opening)));
            for (int i = 0; i < bracket.parts.size(); i++) {
                if (i > 0) {
                    around.add(new Node.Plain(String.valueOf(bracket.separators.get(i - 1))));
                }
                around.add(new Node.Group(bracket.parts.get(i))); // not copied: brackets may be nested by the thousand
            }
        }
    }
}
