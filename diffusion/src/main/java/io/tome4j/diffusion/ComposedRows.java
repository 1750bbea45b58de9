package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The rows of a batch in each step, of texts that were encoded once.
 *
 * @param prompts which text each row sees in which step
 * @param encoded what came of each of its texts
 */
record ComposedRows(ComposedPrompts prompts, List<Encoded> encoded) {
    /**
     * An encoded text.
     *
     * @param embeddings of its variants, {@code [variants, M, D]}
     * @param pooled likewise, {@code [variants, P]}; empty where the family has no such thing
     */
    record Encoded(Tensor embeddings, Optional<Tensor> pooled) {}

    /** Makes a family's conditioning of what all have. */
    @FunctionalInterface
    interface Family {
        /**
         * @param embeddings each {@code [B, M, D]}: of the first rows, of those that follow
         * @param pooled {@code [rows, P]}; empty where the family has no such thing
         * @return in the open scope
         */
        TextConditioning of(List<Tensor> embeddings, Optional<Tensor> pooled);
    }

    TextTimeline timeline(Family family) {
        List<Integer> lastSteps = prompts.lastSteps();
        return TextTimeline.of(lastSteps, span -> at(lastSteps.get(span), family), prompts.composition());
    }

    private TextConditioning at(int step, Family family) {
        List<Tensor> negative = new ArrayList<>();
        List<Tensor> positive = new ArrayList<>();
        List<Tensor> pooled = new ArrayList<>();
        for (int row = 0; row < prompts.rows().size(); row++) {
            int text = prompts.rows().get(row);
            int variant = prompts.texts().get(text).numberAt(step);
            Tensor embeddings = Tensors.slice(encoded.get(text).embeddings(), 0, variant, variant + 1L);
            (row < prompts.negativeRows() ? negative : positive).add(embeddings);
            encoded.get(text).pooled().ifPresent(rows -> pooled.add(Tensors.slice(rows, 0, variant, variant + 1L)));
        }
        return family.of(
                groups(negative, positive),
                pooled.isEmpty() ? Optional.empty() : Optional.of(Tensors.cat(0, pooled.toArray(Tensor[]::new))));
    }

    /** One group where all texts are as long; otherwise the negative prompt's rows are one of their own. */
    private static List<Tensor> groups(List<Tensor> negative, List<Tensor> positive) {
        if (negative.isEmpty()) {
            return List.of(padded(positive));
        }
        Tensor without = padded(negative);
        Tensor with = padded(positive);
        return without.size(1) == with.size(1) ? List.of(Tensors.cat(0, without, with)) : List.of(without, with);
    }

    /** {@code [rows, M, D]}: as the web UI does it, a shorter text's last vector is repeated. */
    private static Tensor padded(List<Tensor> rows) {
        long longest = rows.stream().mapToLong(row -> row.size(1)).max().orElse(0);
        try (var scope = TensorScope.open()) {
            Tensor[] all = new Tensor[rows.size()];
            for (int i = 0; i < all.length; i++) {
                Tensor row = rows.get(i);
                long length = row.size(1);
                all[i] = length == longest
                        ? row
                        : Tensors.cat(
                                1,
                                row,
                                Tensors.slice(row, 1, length - 1, length).expand(1, longest - length, row.size(2)));
            }
            return scope.release(Tensors.cat(0, all));
        }
    }
}
