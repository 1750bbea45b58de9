package io.tome4j.merging;

/** A transformer block that asks its {@link MergeContext} how to merge its tokens. */
public interface MergeableBlock {
    /** Its name in the model, as in the checkpoint: {@code down_blocks.0.attentions.0.transformer_blocks.0}. */
    String name();

    /** How many times smaller than the model's input its feature map is, in each direction: 1, 2, 4, 8. */
    int downsample();

    /** The size of its tokens. */
    long channels();
}
