package io.tome4j.evaluation.run;

import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergePlan;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.merging.TokenMerge;
import io.tome4j.merging.TokenMerger;
import io.tome4j.merging.TokenReduction;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Records which tokens one block of a model merges in one step, as long as it is open:
 *
 * <pre>{@code
 * try (var recorder = MergeRecorder.watch(pipeline, MergeRecorder.usualBlock(pipeline), 10)) {
 *     var image = pipeline.generate(request).image();
 *     BufferedImage map = recorder.maps().get(0).draw(image.toBufferedImage());
 * }
 * }</pre>
 *
 * It stands in front of the block's merger and changes nothing of what that answers; a model that is not watched does not
 * know of it. It holds no native memory. Patch the model before, not while it is watched.
 */
public final class MergeRecorder implements AutoCloseable {
    private final MergeableBlock block;
    private final TokenMerger watched;
    private final int step;
    private volatile List<MergeMap> maps = List.of();

    private MergeRecorder(MergeableBlock block, int step) {
        this.block = block;
        this.watched = block.merger();
        this.step = step;
    }

    /**
     * Begins to watch.
     *
     * @param blockName the block's name in the model
     * @param step the number of the denoising step, from 0
     * @throws IllegalArgumentException if the model has no such block, with the names of those that it has
     */
    public static MergeRecorder watch(MergeableModel model, String blockName, int step) {
        if (step < 0) {
            throw new IllegalArgumentException("step is " + step + ": steps are counted from 0");
        }
        MergeableBlock block = block(model, blockName);
        MergeRecorder recorder = new MergeRecorder(block, step);
        block.merger(recorder.new Recording());
        return recorder;
    }

    /**
     * Says before images are made whether a block can be watched.
     *
     * @throws IllegalArgumentException if the model has no such block, with the names of those that it has
     */
    public static void requireBlock(MergeableModel model, String blockName) {
        block(model, blockName);
    }

    private static MergeableBlock block(MergeableModel model, String blockName) {
        return model.mergeableBlocks().stream()
                .filter(candidate -> candidate.name().equals(blockName))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("block is " + blockName + ": this model has " + names(model)));
    }

    /**
     * The block that shows most: the first of those with the finest grid.
     *
     * @throws IllegalArgumentException if the model has no transformer blocks
     */
    public static String usualBlock(MergeableModel model) {
        return model.mergeableBlocks().stream()
                .min(Comparator.comparingInt(MergeableBlock::downsample))
                .map(MergeableBlock::name)
                .orElseThrow(() -> new IllegalArgumentException("The model has no transformer blocks to watch"));
    }

    private static String names(MergeableModel model) {
        return model.mergeableBlocks().stream().map(MergeableBlock::name).collect(Collectors.joining(", "));
    }

    /**
     * What was recorded last, a map for each image of the batch; with guidance, of its prompted half.
     *
     * @return empty if the step has not been reached
     */
    public List<MergeMap> maps() {
        return maps;
    }

    /** Gives the block its merger back. Closing twice does no harm. */
    @Override
    public void close() {
        if (block.merger() instanceof Recording) {
            block.merger(watched);
        }
    }

    private final class Recording implements TokenMerger {
        @Override
        public BlockMerge match(Tensor hidden, Tensor normed, TokenGrid grid, MergeContext context) {
            BlockMerge merge = watched.match(hidden, normed, grid, context);
            if (context.step() == step) {
                maps = record(merge, (int) hidden.size(0), grid, context);
            }
            return merge;
        }

        @Override
        public Optional<ToMeOptions> options() {
            return watched.options();
        }
    }

    private List<MergeMap> record(BlockMerge merge, int batch, TokenGrid grid, MergeContext context) {
        int images = batch / context.run().copies();
        List<MergeMap> recorded = new ArrayList<>();
        for (int row = batch - images; row < batch; row++) {
            recorded.add(new MergeMap(
                    block.name(), context.step(), grid, block.downsample(), numbers(merge, row, batch, grid.tokens())));
        }
        return List.copyOf(recorded);
    }

    /** For each token of an image a number that its group has alone, or a negative one. */
    private static long[] numbers(BlockMerge merge, int row, int batch, int tokens) {
        try (var scope = TensorScope.open()) {
            for (TokenMerge part : List.of(merge.attention().queries(), merge.crossAttention(), merge.mlp())) {
                if (part instanceof MergePlan plan) {
                    return Tensors.longs(plan.groups().select(0, row));
                }
            }
            TokenReduction keys = merge.attention().keys();
            return keys == TokenMerge.NONE ? LongStream.range(0, tokens).toArray() : kept(keys, row, batch, tokens);
        }
    }

    /** Sends the tokens' own numbers through a sampling, and sees which come out. */
    private static long[] kept(TokenReduction sampling, int row, int batch, int tokens) {
        try (var scope = TensorScope.open()) {
            Tensor all = Tensors.of(LongStream.range(0, tokens).toArray(), tokens)
                    .view(1, tokens, 1)
                    .repeat(batch, 1, 1)
                    .to(ScalarType.Long);
            long[] numbers = new long[tokens];
            Arrays.fill(numbers, MergeMap.DROPPED);
            for (long token : Tensors.longs(sampling.merge(all).select(0, row))) {
                numbers[(int) token] = token;
            }
            return numbers;
        }
    }
}
