package io.tome4j.merging;

import java.util.List;

/** Anything with blocks that tokens can be merged in: a UNet, a pipeline around one, a model of your own. */
public interface MergeableModel {
    /** Its blocks, in the order they run in: always the same objects. */
    List<? extends MergeableBlock> mergeableBlocks();

    /** The input's rows and columns that the model was made for: reports count tokens at this size. */
    TokenGrid nominalGrid();

    /** What runs do that are not told how to merge: one object, made with the model. */
    ToMePatch patch();
}
