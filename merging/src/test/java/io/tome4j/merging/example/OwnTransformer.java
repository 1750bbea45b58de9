package io.tome4j.merging.example;

import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.TokenGrid;
import io.tome4j.merging.TokenMerge;
import io.tome4j.merging.TokenMerger;
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
 * takes is three things: a place to hold a {@link TokenMerger}, the tokens' rows and columns, and {@code merge} and
 * {@code unmerge} around the part that is to see fewer tokens.
 */
public final class OwnTransformer implements MergeableModel {
    private final TokenGrid grid;
    private final List<Block> blocks;

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

    /**
     * @param x {@code [B, N, C]}
     * @return {@code [B, N, C]}
     */
    public Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = x;
            for (Block block : blocks) {
                hidden = block.forward(hidden, grid);
            }
            return scope.release(hidden);
        }
    }

    /** Attention and a residual connection, as many a vision transformer has it. */
    public static final class Block implements MergeableBlock {
        private final String name;
        private final LayerNormImpl norm;
        private final LinearImpl qkv;
        private final LinearImpl out;
        private TokenMerger merger = TokenMerger.NONE;
        private long tokensSeen;

        Block(String name, int channels) {
            this.name = name;
            this.norm = new LayerNormImpl(new LayerNormOptions(new LongVector(new long[] {channels})));
            this.qkv = new LinearImpl(channels, 3L * channels);
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
        public TokenMerger merger() {
            return merger;
        }

        @Override
        public void merger(TokenMerger newMerger) {
            merger = newMerger;
        }

        /** How many tokens attention saw in the last forward pass. */
        public long tokensSeen() {
            return tokensSeen;
        }

        Tensor forward(Tensor x, TokenGrid grid) {
            try (var scope = TensorScope.open()) {
                TokenMerge merge = merger.match(x, grid, MergeContext.NONE).attention();
                Tensor tokens = merge.merge(norm.forward(x)); // [B, N', C]
                tokensSeen = tokens.size(1);
                TensorVector parts = qkv.forward(tokens).chunk(3, -1);
                Tensor attended =
                        torch.scaled_dot_product_attention(parts.get(0), parts.get(1), parts.get(2)); // [B, N', C]
                return scope.release(x.add(merge.unmerge(out.forward(attended))));
            }
        }
    }
}
