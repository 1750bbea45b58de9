package io.tome4j.diffusion.prompt;

import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A prompt in the syntax of the Python library compel: weights ({@code (red)1.3}, {@code red++}, {@code "a red fox"--}), texts whose
 * embeddings stand one after the other ({@code ("a fox", "in oil").and(1, 0.5)}), and mixtures of them ({@code ("fox",
 * "dog").blend(1, 0.5)}).
 *
 * @param parts whose embeddings stand one after the other, at least one
 */
public record CompelPrompt(List<Part> parts) {
    /** What needs control of the attention during a run, or is said otherwise here. */
    private static final List<String> NOT_HERE = List.of(".swap(", "withLora(", "useLora(");

    /**
     * A mixture, mostly of one text.
     *
     * @param texts what is mixed, at least one
     * @param normalized whether their weights are brought to a sum of 1
     * @param weight how far the embeddings are led away from those of no text
     */
    public record Part(List<Text> texts, boolean normalized, double weight) {
        public Part {
            texts = List.copyOf(texts);
        }
    }

    /**
     * A text.
     *
     * @param pieces as they go to the tokenizer, each by itself, at least one
     * @param weight its share of the mixture
     */
    public record Text(List<WeightedText> pieces, double weight) {
        public Text {
            pieces = List.copyOf(pieces);
        }

        /** All pieces as one text. */
        public String joined() {
            return String.join(" ", pieces.stream().map(WeightedText::text).toList());
        }
    }

    public CompelPrompt {
        parts = List.copyOf(parts);
    }

    /**
     * Reads a prompt.
     *
     * @throws OptionException if it has something that is not supported, numbers of weights that do not fit, or brackets nested
     *     beyond all measure
     */
    public static CompelPrompt parse(String prompt) {
        for (String operator : NOT_HERE) {
            if (prompt.contains(operator)) {
                throw new OptionException("{prompt} has '" + operator + "', which is not supported"
                        + (operator.equals(".swap(") ? "" : ": LoRAs are named by <lora:name:0.8>"));
            }
        }
        if (prompt.isBlank()) {
            return of(List.of(new WeightedText("", 1)));
        }
        CompelParser parser = new CompelParser(prompt.replaceAll(",(\\S)", ", $1"));
        return parser.conjunction().or(parser::blend).orElseGet(() -> of(joined(parser.words())));
    }

    private static CompelPrompt of(List<WeightedText> pieces) {
        return new CompelPrompt(List.of(new Part(List.of(new Text(pieces, 1)), true, 1)));
    }

    /** {@code (...).and(...)}: as many weights as texts, or none. */
    static CompelPrompt conjunction(List<List<WeightedText>> texts, List<String> options) {
        List<Double> weights = weights(texts, options, ".and");
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            parts.add(new Part(List.of(new Text(joined(texts.get(i)), 1)), true, weights.get(i)));
        }
        return new CompelPrompt(parts);
    }

    /** {@code (...).blend(...)}; a last option {@code no_normalize} leaves the weights as they are. */
    static CompelPrompt blend(List<List<WeightedText>> texts, List<String> options) {
        boolean asTheyAre =
                !options.isEmpty() && options.get(options.size() - 1).equals("no_normalize");
        List<Double> weights = weights(texts, asTheyAre ? options.subList(0, options.size() - 1) : options, ".blend");
        if (!asTheyAre && weights.stream().mapToDouble(Double::doubleValue).sum() == 0) {
            throw new OptionException("{prompt} has a .blend whose weights sum up to 0");
        }
        List<Text> blended = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            blended.add(new Text(joined(texts.get(i)), weights.get(i)));
        }
        return new CompelPrompt(List.of(new Part(blended, !asTheyAre, 1)));
    }

    private static List<Double> weights(List<List<WeightedText>> texts, List<String> options, String operator) {
        if (options.isEmpty()) {
            return Collections.nCopies(texts.size(), 1.0);
        }
        if (options.size() != texts.size()) {
            throw new OptionException("{prompt} has " + texts.size() + " texts before " + operator + " and "
                    + options.size() + " weights behind it: give as many, or none");
        }
        try {
            return options.stream().map(Double::valueOf).toList();
        } catch (NumberFormatException e) {
            throw new OptionException("{prompt} has a weight behind " + operator + " that is no number", e);
        }
    }

    /** Neighbours of one weight as one piece. */
    private static List<WeightedText> joined(List<WeightedText> words) {
        List<WeightedText> pieces = new ArrayList<>();
        for (WeightedText word : words) {
            int last = pieces.size() - 1;
            if (last >= 0 && pieces.get(last).weight() == word.weight()) {
                pieces.set(last, new WeightedText(pieces.get(last).text() + " " + word.text(), word.weight()));
            } else {
                pieces.add(word);
            }
        }
        return pieces.isEmpty() ? List.of(new WeightedText("", 1)) : pieces;
    }
}
