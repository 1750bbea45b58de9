package io.tome4j.models.text;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Embeddings of tokens that a text encoder did not bring: textual inversions (arXiv 2208.01618).
 *
 * @param firstId the first vector's token; the others' follow
 * @param vectors each {@code [C]}, in whatever dtype
 * @param mayEnd whether a text ends at one of them where an old config says that it ends at the largest id: so transformers
 *     has it, by mistake (huggingface/transformers#24650); else a text ends where it would without them
 */
public record LearnedVectors(long firstId, List<Tensor> vectors, boolean mayEnd) {
    /** None. */
    public static final LearnedVectors NONE = new LearnedVectors(Long.MAX_VALUE, List.of(), false);

    public LearnedVectors {
        vectors = List.copyOf(vectors);
    }

    boolean has(long id) {
        return id >= firstId && id - firstId < vectors.size();
    }

    Tensor vector(long id) {
        return vectors.get((int) (id - firstId));
    }
}
