package io.tome4j.diffusion;

import io.tome4j.models.unet.AddedConditioning;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What a denoiser is conditioned on besides the timestep: what the text encoders made of the prompts, and, in families that
 * want it, sizes. A value; its tensors belong to the scope that was open when it was made.
 */
public final class TextConditioning {
    private final List<Tensor> embeddings;
    private final @Nullable AddedConditioning added;

    private TextConditioning(List<Tensor> embeddings, @Nullable AddedConditioning added) {
        this.embeddings = embeddings;
        this.added = added;
    }

    /**
     * Text embeddings alone, as Stable Diffusion 1.x and 2.x have them.
     *
     * @param embeddings {@code [B, M, D]}, with guidance {@code [2 * B, M, D]}: first those of the negative prompt
     */
    public static TextConditioning of(Tensor embeddings) {
        return new TextConditioning(List.of(embeddings), null);
    }

    /**
     * Text embeddings of rows whose texts have different lengths.
     *
     * @param embeddings each {@code [B, M, D]}: of the first rows, of those that follow, and so on
     */
    static TextConditioning of(List<Tensor> embeddings) {
        return new TextConditioning(List.copyOf(embeddings), null);
    }

    /**
     * The same with what is added to the time embedding, as SDXL has it.
     *
     * @param added of as many rows as the embeddings
     * @throws IllegalArgumentException if it has not as many
     */
    public TextConditioning with(AddedConditioning added) {
        if (added.rows() != rows()) {
            throw new IllegalArgumentException(
                    "Text embeddings of " + rows() + " rows, and pooled ones of " + added.rows());
        }
        return new TextConditioning(embeddings, added);
    }

    /**
     * {@code [B, M, D]}, with guidance {@code [2 * B, M, D]}: first those of the negative prompt. Several where rows have texts
     * of different lengths: of the first rows, of those that follow, and so on.
     */
    public List<Tensor> embeddings() {
        return embeddings;
    }

    /** What is added to the time embedding; empty where the family has no such thing. */
    public Optional<AddedConditioning> added() {
        return Optional.ofNullable(added);
    }

    /** Rows of the batch. */
    public long rows() {
        return embeddings.stream().mapToLong(rows -> rows.size(0)).sum();
    }
}
