package io.tome4j.models.unet;

import org.bytedeco.pytorch.Tensor;

/**
 * What SDXL's UNets add to the time embedding of each row ({@code addition_embed_type} {@code text_time}; arXiv 2307.01952,
 * section 2.2). Its tensors belong to whoever made them.
 *
 * @param pooled one embedding a text, {@code [B, P]}
 * @param timeIds sizes in pixels and the like, {@code [B, K]}: for a base model original height and width, crop top and left,
 *     target height and width; for a refiner the last two give way to the aesthetic score
 */
public record AddedConditioning(Tensor pooled, Tensor timeIds) {
    /** @throws IllegalArgumentException if both have not as many rows */
    public AddedConditioning {
        if (pooled.dim() != 2 || timeIds.dim() != 2 || pooled.size(0) != timeIds.size(0)) {
            throw new IllegalArgumentException("Pooled embeddings [B, P] and time ids [B, K] have as many rows");
        }
    }

    /** Rows of the batch. */
    public long rows() {
        return pooled.size(0);
    }
}
