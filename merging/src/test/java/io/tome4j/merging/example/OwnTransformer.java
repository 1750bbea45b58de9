package io.tome4j.merging.example;

import io.tome4j.merging.AttentionMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.TensorScope;
import java.util.List;
import org.bytedeco.pytorch.LayerNormImpl;
import org.bytedeco.pytorch.LayerNormOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * An example: token merging in a transformer that is not tome4j's, made of the modules of the JavaCPP presets. What it
 * takes is three things: a {@link ToMePatch} for the model, a {@link MergeRun} for each batch, and in each block an
 * {@link AttentionMerge} around the part that is to see fewer tokens.
 */
public final class OwnTransformer implements MergeableModel {
    private final TokenGrid grid;
    private final List<Block> blocks;
    private final ToMePatch patch = new ToMePatch();

    /** A model of two blocks, with random weights, on a grid of tokens. */
    public OwnTransformer(TokenGrid grid, int channels) {
        this.grid = grid;
        this.blocks = List.of(new Block("blocks.0", channels), new Block("blocks.1", channels));
    }

    @Override
    public List<Block> mergeableBlocks() {
        return blocks;
    }

    @Override
    public TokenGrid nominalGrid() {
        return grid;
    }

    @Override
    public ToMePatch patch() {
        return patch;
    }

    /**
     * A pass that merges what the model is patched with.
     *
     * @param x {@code [B, N, C]}
     * @return {@code [B, N, C]}
     */
    public Tensor forward(Tensor x) {
        try (var run = MergeRun.of(this, 0, 1)) {
            return forward(x, run.step(0));
        }
    }

    /** A pass of any run. */
    public Tensor forward(Tensor x, MergeContext context) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = x;
            for (Block block : blocks) {
                hidden = block.forward(hidden, grid, context);
            }
            return scope.release(hidden);
        }
    }

    /** Attention and a residual connection, as many a vision transformer has it. */
    public static final class Block implements MergeableBlock {
        private final String name;
        private final LayerNormImpl norm;
        private final LinearImpl toQ;
        private final LinearImpl toKv;
        private final LinearImpl out;
        private long queriesSeen;
        private long keysSeen;

        Block(String name, int channels) {
            this.name = name;
            this.norm = new LayerNormImpl(new LayerNormOptions(new LongVector(new long[] {channels})));
            this.toQ = new LinearImpl(channels, channels);
            this.toKv = new LinearImpl(channels, 2L * channels);
            this.out = new LinearImpl(channels, channels);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public int downsample() {
            return 1;
        }

        @Override
        public long channels() {
            return toQ.weight().size(1);
        }

        /** How many queries attention saw in the last forward pass. */
        public long queriesSeen() {
            return queriesSeen;
        }

        /** How many keys and values it saw. */
        public long keysSeen() {
            return keysSeen;
        }

        Tensor forward(Tensor x, TokenGrid grid, MergeContext context) {
            try (var scope = TensorScope.open()) {
                Tensor normed = norm.forward(x);
                AttentionMerge merge = context.merge(this, x, normed, grid).attention();
                Tensor queries = toQ.forward(merge.queries().merge(normed)); // [B, N', C]
                TensorVector pairs = toKv.forward(merge.keys().merge(normed)).chunk(2, -1); // [B, M', C] each
                queriesSeen = queries.size(1);
                keysSeen = pairs.get(0).size(1);
                Tensor attended = merge.weights().attend(queries, pairs.get(0), pairs.get(1), 1, Block::attention);
                return scope.release(x.add(merge.queries().unmerge(out.forward(attended))));
            }
        }

        private static Tensor attention(Tensor q, Tensor k, Tensor v, long heads) {
            return torch.scaled_dot_product_attention(q, k, v); // of a single head
        }
    }
}
