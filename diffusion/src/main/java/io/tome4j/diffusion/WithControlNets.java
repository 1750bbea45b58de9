package io.tome4j.diffusion;

import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.ControlNetModel;
import java.util.ArrayList;
import java.util.List;

/**
 * A model together with the ControlNets that steer it, where tokens are merged in both: the model's blocks first, so that they
 * draw as they do alone.
 */
record WithControlNets(MergeableModel model, List<ControlNetModel> nets) implements MergeableModel {
    @Override
    public List<? extends MergeableBlock> mergeableBlocks() {
        List<MergeableBlock> blocks = new ArrayList<>(model.mergeableBlocks());
        nets.stream().distinct().forEach(net -> blocks.addAll(net.mergeableBlocks()));
        return blocks;
    }

    @Override
    public TokenGrid nominalGrid() {
        return model.nominalGrid();
    }

    @Override
    public ToMePatch patch() {
        return model.patch();
    }
}
