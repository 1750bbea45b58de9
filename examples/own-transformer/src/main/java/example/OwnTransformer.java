package example;

import io.tome4j.merging.AttentionMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import java.util.List;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Token merging in a transformer of one's own: a patch for the model, a run a batch, and blocks that ask. */
public final class OwnTransformer implements MergeableModel {
    private static final int CHANNELS = 32;

    private final TokenGrid grid = new TokenGrid(16, 16);
    private final List<Block> blocks = List.of(new Block("blocks.0"), new Block("blocks.1"));
    private final ToMePatch patch = new ToMePatch();

    public static void main(String[] args) {
        Engine.start();
        OwnTransformer model = new OwnTransformer();
        try (var scope = TensorScope.open()) {
            Tensor tokens = torch.randn(1, model.grid.tokens(), CHANNELS); // [B, N, C]
            model.forward(tokens);
            System.out.println("without merging, attention sees " + model.blocks.get(0).seen + " tokens");
            ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
            model.forward(tokens);
            System.out.println("with half of them merged, " + model.blocks.get(0).seen);
        }
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

    Tensor forward(Tensor x) {
        try (var run = MergeRun.of(this, 0, 1);
                var scope = TensorScope.open()) {
            Tensor hidden = x;
            for (Block block : blocks) {
                hidden = block.forward(hidden, grid, run.step(0));
            }
            return scope.release(hidden);
        }
    }

    private static final class Block implements MergeableBlock {
        private final String name;
        private final LinearImpl toQueries = new LinearImpl(CHANNELS, CHANNELS);
        private final LinearImpl toKeysAndValues = new LinearImpl(CHANNELS, 2 * CHANNELS);
        private long seen;

        Block(String name) {
            this.name = name;
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
            return CHANNELS;
        }

        Tensor forward(Tensor x, TokenGrid grid, MergeContext context) {
            try (var scope = TensorScope.open()) {
                AttentionMerge merge = context.merge(this, x, x, grid).attention();
                Tensor queries = toQueries.forward(merge.queries().merge(x)); // [B, N', C]
                TensorVector keysAndValues = toKeysAndValues.forward(merge.keys().merge(x)).chunk(2, -1);
                seen = queries.size(1);
                Tensor attended = merge.weights()
                        .attend(queries, keysAndValues.get(0), keysAndValues.get(1), 1, (q, k, v, heads) ->
                                torch.scaled_dot_product_attention(q, k, v));
                return scope.release(x.add(merge.queries().unmerge(attended)));
            }
        }
    }
}
