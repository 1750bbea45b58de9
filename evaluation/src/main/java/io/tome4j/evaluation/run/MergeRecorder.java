package io.tome4j.evaluation.run;

import io.tome4j.diffusion.StepListener;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergePlan;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.TokenGrid;
import io.tome4j.merging.TokenMerge;
import io.tome4j.merging.TokenReduction;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Records which tokens one block merges in one step of a run that it listens to; where that step leaves the block out, in
 * the next one that does not:
 *
 * <pre>{@code
 * var recorder = MergeRecorder.of(pipeline, MapPlace.middle(20), StepListener.NONE);
 * var image = pipeline.generate(request, recorder).image();
 * BufferedImage map = recorder.maps().get(0).draw(image.toBufferedImage());
 * }</pre>
 *
 * It changes nothing of the run, and holds no native memory.
 */
public final class MergeRecorder implements StepListener {
    private final MergeableBlock block;
    private final int step;
    private final StepListener listener;
    private volatile List<MergeMap> maps = List.of();
    private MergeRun recorded = MergeRun.NONE; // the run that the maps are of

    private MergeRecorder(MergeableBlock block, int step, StepListener listener) {
        this.block = block;
        this.step = step;
        this.listener = listener;
    }

    /**
     * A recorder for one run.
     *
     * @param place which block and step
     * @param listener told of all that the recorder is told of
     * @throws OptionException if the model has no such block, with the names of those that it has
     */
    public static MergeRecorder of(MergeableModel model, MapPlace place, StepListener listener) {
        return new MergeRecorder(
                block(model, place.block().orElseGet(() -> usualBlock(model))), place.step(), listener);
    }

    /**
     * Says before images are made whether a block can be watched.
     *
     * @throws OptionException if the model has no such block, with the names of those that it has
     */
    public static void requireBlock(MergeableModel model, String blockName) {
        block(model, blockName);
    }

    private static MergeableBlock block(MergeableModel model, String blockName) {
        return model.mergeableBlocks().stream()
                .filter(candidate -> candidate.name().equals(blockName))
                .findFirst()
                .orElseThrow(() -> new OptionException(
                        "{map_block} is " + OptionException.literal(blockName) + ": this model has " + names(model)));
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

    @Override
    public boolean onStep(Progress progress) {
        return listener.onStep(progress);
    }

    @Override
    public void onMerge(MergeableBlock asking, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
        listener.onMerge(asking, hidden, grid, merge, context);
        // A step that reuses features may leave the block out: then the next one in which it runs is recorded.
        if (asking == block && context.step() >= step && recorded != context.run()) {
            maps = record(merge, (int) hidden.size(0), grid, context);
            recorded = context.run();
        }
    }

    private List<MergeMap> record(BlockMerge merge, int batch, TokenGrid grid, MergeContext context) {
        int images = batch / context.copies();
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
