package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.CompelPrompt;
import io.tome4j.diffusion.prompt.WeightedText;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Text embeddings of prompts in compel's syntax, by one text encoder.
 *
 * <ol>
 *   <li>The pieces of a text are tokenised each by itself; 75 tokens are taken.
 *   <li>Each token's state is led away from that of the empty text, as far as its weight says: {@code e + w (z - e)}.
 *   <li>For each piece that weighs less than 1, the same is done once more with its tokens unseen by all others, and the results
 *       are mixed: that without a piece of the weight {@code w} counts {@code tan((1 - w) pi / 2)} times the whole.
 *   <li>Texts of a blend are mixed, those of a conjunction stand one after the other.
 * </ol>
 *
 * @param tokenizer the encoder's, with the request's textual inversions
 * @param encoder the states of a text
 */
record CompelStates(Tokens tokenizer, Encoder encoder) {
    /** The reference's smallest weight: its tangent is still a number. */
    private static final double LEAST_WEIGHT = 1e-5;

    /**
     * What a tokenizer does for it.
     *
     * @param tokenizer the encoder's
     * @param learned the textual inversions
     */
    record Tokens(ClipTokenizer tokenizer, LearnedTokens learned) {
        /** Ids of a text without markers, as many as a prompt takes at most. */
        private long[] of(String text) {
            long[] ids = all(text);
            return Arrays.copyOf(ids, Math.min(ids.length, most()));
        }

        private long[] all(String text) {
            if (learned.isEmpty()) {
                return tokenizer.tokens(text);
            }
            try (ClipTokenizer more = tokenizer.with(learned.tokens())) {
                return learned.ofModel(more.tokens(learned.written(text, more)), more);
            }
        }

        private int most() {
            return tokenizer.maxLength() - 2;
        }

        /** What of a text did not fit. */
        private String dropped(CompelPrompt.Text text) {
            return tokenizer.encode(text.joined()).dropped();
        }

        /** With markers and padding. */
        private long[] framed(long[] ids, int count) {
            long[] all = tokenizer.encode("").ids().clone();
            long start = all[0];
            long end = all[1];
            long padding = all[all.length - 1];
            Arrays.fill(all, padding);
            all[0] = start;
            System.arraycopy(ids, 0, all, 1, count);
            all[count + 1] = end;
            return all;
        }
    }

    /** Gives a text's states. */
    @FunctionalInterface
    interface Encoder {
        /**
         * @param ids with markers
         * @param unseen places to which no token attends; empty for none
         * @return {@code [1, N, C]}
         */
        Tensor states(long[] ids, boolean[] unseen);
    }

    /** Of the empty text, {@code [1, N, C]} fp32, in the open scope. */
    Tensor empty() {
        return encoder.states(tokenizer.framed(new long[0], 0), new boolean[0]).to(ScalarType.Float);
    }

    /** {@code [1, parts * N, C]} fp32, in the open scope. */
    Tensor of(CompelPrompt prompt) {
        try (var scope = TensorScope.open()) {
            Tensor empty = empty();
            List<Tensor> parts = new ArrayList<>();
            for (CompelPrompt.Part part : prompt.parts()) {
                Tensor states = mixed(part, empty);
                parts.add(part.weight() == 1 ? states : away(states, empty, new Scalar(part.weight())));
            }
            return scope.release(Tensors.cat(1, parts.toArray(Tensor[]::new)));
        }
    }

    /** Words of a prompt that did not fit, of all its texts. */
    String droppedWords(CompelPrompt prompt) {
        return String.join(
                " / ",
                prompt.parts().stream()
                        .flatMap(part -> part.texts().stream())
                        .map(tokenizer::dropped)
                        .filter(words -> !words.isEmpty())
                        .toList());
    }

    private Tensor mixed(CompelPrompt.Part part, Tensor empty) {
        List<Tensor> states = new ArrayList<>();
        List<Double> weights = new ArrayList<>();
        for (CompelPrompt.Text text : part.texts()) {
            states.add(of(text, empty));
            weights.add(text.weight());
        }
        return states.size() == 1 && part.normalized() ? states.get(0) : sum(states, weights, part.normalized());
    }

    private static Tensor away(Tensor states, Tensor empty, Scalar weight) {
        return empty.add(states.sub(empty).mul_(weight));
    }

    /** All added up, each as often as its weight says, or as large a share of the sum. */
    private static Tensor sum(List<Tensor> states, List<Double> weights, boolean normalized) {
        try (var scope = TensorScope.open()) {
            double all = normalized
                    ? weights.stream().mapToDouble(Double::doubleValue).sum()
                    : 1;
            Tensor sum = states.get(0).mul(new Scalar(weights.get(0) / all));
            for (int i = 1; i < states.size(); i++) {
                sum.add_(states.get(i).mul(new Scalar(weights.get(i) / all)));
            }
            return scope.release(sum);
        }
    }

    /** A text's pieces as tokens. */
    private static final class Row {
        private final long[] ids; // with markers
        private final float[] weights; // of each place
        private final List<Integer>
                ends; // the place behind each piece's last token, as far as pieces have a place at all

        Row(long[] ids, float[] weights, List<Integer> ends) {
            this.ids = ids;
            this.weights = weights;
            this.ends = ends;
        }
    }

    private Row row(CompelPrompt.Text text) {
        long[] ids = new long[tokenizer.most()];
        float[] weights = new float[ids.length + 2];
        Arrays.fill(weights, 1);
        List<Integer> ends = new ArrayList<>();
        int count = 0;
        for (WeightedText piece : text.pieces()) {
            if (count == ids.length) {
                break;
            }
            long[] tokens = tokenizer.of(piece.text());
            int taken = Math.min(tokens.length, ids.length - count);
            System.arraycopy(tokens, 0, ids, count, taken);
            Arrays.fill(weights, count + 1, count + 1 + taken, (float) piece.weight());
            count += taken;
            // The reference hides the end marker, too, where a piece was cut off.
            ends.add(count + 1 + (taken < tokens.length ? 1 : 0));
        }
        return new Row(tokenizer.framed(ids, count), weights, ends);
    }

    private Tensor of(CompelPrompt.Text text, Tensor empty) {
        try (var scope = TensorScope.open()) {
            Row row = row(text);
            List<Tensor> states = new ArrayList<>(List.of(weighted(row, new boolean[0], empty)));
            List<Double> weights = new ArrayList<>(List.of(1.0));
            int start = 1;
            for (int i = 0; i < row.ends.size(); i++) {
                double weight = text.pieces().get(i).weight();
                int end = row.ends.get(i);
                if (weight < 1 && end > start) {
                    boolean[] unseen = new boolean[row.ids.length];
                    Arrays.fill(unseen, start, end, true);
                    states.add(weighted(row, unseen, empty));
                    weights.add(Math.tan((1 - Math.max(LEAST_WEIGHT, weight)) * Math.PI / 2));
                }
                start = end;
            }
            return scope.release(states.size() == 1 ? states.get(0) : sum(states, weights, true));
        }
    }

    private Tensor weighted(Row row, boolean[] unseen, Tensor empty) {
        try (var scope = TensorScope.open()) {
            Tensor states = encoder.states(row.ids, unseen).to(ScalarType.Float);
            boolean level = true;
            for (float weight : row.weights) {
                level &= weight == 1;
            }
            if (level) {
                return scope.release(states);
            }
            Tensor weights = Tensors.of(row.weights, 1, row.weights.length, 1).to(states.device(), ScalarType.Float);
            return scope.release(empty.add(states.sub(empty).mul_(weights)));
        }
    }
}
