package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.Emphasis;
import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Text embeddings in which tokens count as much as their weights say, of texts that are encoded chunk by chunk. The variants of
 * one text are weighted together: the mean that is brought back is that of all of them.
 *
 * @param emphasis what a weight does
 * @param encoder the text encoder's states for some chunks, {@code [R, N, C]}
 */
record WeightedStates(Emphasis emphasis, Function<List<PromptChunk>, Tensor> encoder) {
    /** Chunks encoded in one batch, at most. */
    private static final int BATCH = 16;

    /**
     * @param chunks of each variant, as many in all
     * @param counts how often each variant counts for the mean
     * @return {@code [variants, chunks * N, C]} fp32, in the open scope
     */
    Tensor of(List<List<PromptChunk>> chunks, List<Integer> counts) {
        try (var scope = TensorScope.open()) {
            Tensor[] columns = new Tensor[chunks.get(0).size()];
            for (int i = 0; i < columns.length; i++) {
                int number = i;
                columns[i] = column(
                        chunks.stream().map(variant -> variant.get(number)).toList(), counts);
            }
            return scope.release(Tensors.cat(1, columns));
        }
    }

    private Tensor column(List<PromptChunk> rows, List<Integer> counts) {
        try (var scope = TensorScope.open()) {
            Tensor states = encoded(rows);
            if (!emphasis.weighs() || rows.stream().allMatch(PromptChunk::isLevel)) {
                return scope.release(states);
            }
            Tensor weighted = states.mul(weights(rows).to(states.device(), ScalarType.Float));
            if (emphasis == Emphasis.ORIGINAL) {
                weighted.mul_(new Scalar(mean(states, counts) / mean(weighted, counts)));
            }
            return scope.release(weighted);
        }
    }

    private Tensor encoded(List<PromptChunk> rows) {
        try (var scope = TensorScope.open()) {
            Tensor[] parts = new Tensor[(rows.size() + BATCH - 1) / BATCH];
            for (int i = 0; i < parts.length; i++) {
                List<PromptChunk> some = rows.subList(i * BATCH, Math.min(rows.size(), (i + 1) * BATCH));
                parts[i] = encoder.apply(some).to(ScalarType.Float);
            }
            return scope.release(Tensors.cat(0, parts));
        }
    }

    /** {@code [R, N, 1]}. */
    private static Tensor weights(List<PromptChunk> rows) {
        int length = rows.get(0).weights().length;
        float[] all = new float[rows.size() * length];
        for (int row = 0; row < rows.size(); row++) {
            float[] weights = rows.get(row).weights();
            for (int i = 0; i < length; i++) {
                if (!Float.isFinite(weights[i])) {
                    throw new OptionException("{prompt} has a weight that is too large: " + weights[i]
                            + "; too many brackets in one another multiply");
                }
                all[row * length + i] = weights[i];
            }
        }
        return Tensors.of(all, rows.size(), length, 1);
    }

    /** Of all numbers, each row as often as it counts. */
    private static double mean(Tensor states, List<Integer> counts) {
        try (var scope = TensorScope.open()) {
            float[] ofRows = Tensors.floats(states.mean(new long[] {1, 2}).cpu());
            double sum = 0;
            double all = 0;
            for (int row = 0; row < ofRows.length; row++) {
                sum += (double) counts.get(row) * ofRows[row];
                all += counts.get(row);
            }
            return sum / all;
        }
    }
}
