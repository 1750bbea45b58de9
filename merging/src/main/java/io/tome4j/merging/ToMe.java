package io.tome4j.merging;

import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Token merging for a model: {@code ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5))}. */
public final class ToMe {
    private ToMe() {}

    /**
     * Makes all runs of a model that are not told how to merge do so from now on. A run that is under way goes on as it
     * began. A model that was patched before is patched anew.
     *
     * @param model what to patch, in place
     * @param options what to merge
     * @return what was patched, with tokens counted at the model's nominal size; with {@link ToMeOptions#auto} blocks
     *     decide anew at the size they run at
     * @throws OptionException if nothing would be patched; the message says which option would change that
     */
    public static PatchReport applyPatch(MergeableModel model, ToMeOptions options) {
        PatchReport report = report(model, options, model.nominalGrid());
        model.patch().set(options);
        return report;
    }

    /** Takes the patch away: the model computes exactly what it did before. Does nothing to an unpatched model. */
    public static void removePatch(MergeableModel model) {
        model.patch().set(ToMeOptions.NONE);
    }

    /** The options that a model is patched with; {@link ToMeOptions#NONE} if it is not patched. */
    public static ToMeOptions patchedWith(MergeableModel model) {
        return model.patch().applied().options();
    }

    /**
     * Options as a run of a model has them: {@code max_downsample}, where it was not chosen, is the least at which the model has
     * blocks, because merging that was asked for is to have an effect.
     */
    public static ToMeOptions resolved(MergeableModel model, ToMeOptions options) {
        return options.forBlocksFrom(model.mergeableBlocks().stream()
                .mapToInt(MergeableBlock::downsample)
                .min()
                .orElse(1));
    }

    /** What each block of a model is to do; empty for one that does not merge. */
    static IdentityHashMap<MergeableBlock, Optional<BlockMerger>> mergers(
            MergeableModel model, ToMeOptions options, DestinationDraw runningOn) {
        var mergers = new IdentityHashMap<MergeableBlock, Optional<BlockMerger>>();
        if (!options.merges()) {
            return mergers;
        }
        List<? extends MergeableBlock> blocks = model.mergeableBlocks();
        requireEffect(blocks, options);
        for (int number = 0; number < blocks.size(); number++) {
            MergeableBlock block = blocks.get(number);
            mergers.put(
                    block,
                    isEligible(block, options)
                            ? Optional.of(new BlockMerger(
                                    options,
                                    number,
                                    firstOfSide(blocks, number),
                                    sharing(blocks, number, options),
                                    runningOn))
                            : Optional.empty());
        }
        return mergers;
    }

    /**
     * What merging would do to a model's tokens at a size; changes nothing.
     *
     * @param asked what to merge; the report has it as {@link #resolved} for the model
     * @param input the rows and columns of the model's input (of the latents)
     * @throws OptionException if the options ask for merging, and nothing would be merged
     */
    public static PatchReport report(MergeableModel model, ToMeOptions asked, TokenGrid input) {
        return report(model, asked, input, ProtectedTokens.NONE);
    }

    /**
     * As {@link #report(MergeableModel, ToMeOptions, TokenGrid)}, where some tokens are not merged. A ratio that changes is
     * reported at its highest.
     *
     * @param kept tokens of the input
     */
    public static PatchReport report(MergeableModel model, ToMeOptions asked, TokenGrid input, ProtectedTokens kept) {
        List<? extends MergeableBlock> all = model.mergeableBlocks();
        ToMeOptions options = resolved(model, asked);
        ToMeOptions most = options.withRatio(options.highestRatio());
        if (!options.merges()) {
            return new PatchReport(options, input, List.of(), List.of(), all.size(), List.of());
        }
        requireEffect(all, options);
        List<PatchReport.PatchedBlock> patched = new ArrayList<>();
        List<PatchReport.UnmergedBlock> unmerged = new ArrayList<>();
        for (int number = 0; number < all.size(); number++) {
            MergeableBlock block = all.get(number);
            if (!isEligible(block, options)) {
                continue;
            }
            TokenGrid grid = input.downsample(block.downsample());
            MergingCost cost = MergingCost.of(most, grid, block.channels(), sharing(all, number, options));
            if (options.auto() && !cost.pays()) {
                unmerged.add(
                        new PatchReport.UnmergedBlock(block.name(), block.downsample(), grid.tokens(), cost.reason()));
            } else {
                int merged = most.method().strategy().merged(most, grid);
                int left = grid.tokens()
                        - (kept.isNone() ? merged : Math.min(merged, kept.sources(grid, options.sx(), options.sy())));
                patched.add(new PatchReport.PatchedBlock(block.name(), block.downsample(), grid.tokens(), left));
            }
        }
        PatchReport report = new PatchReport(
                options,
                input,
                List.copyOf(patched),
                List.copyOf(unmerged),
                all.size(),
                notes(most, patched, unmerged));
        return kept.isNone() ? report : report.withNote(kept + " are protected");
    }

    /** The first of the blocks of its size that a block follows on without another size in between. */
    private static int firstOfSide(List<? extends MergeableBlock> blocks, int number) {
        int first = number;
        while (first > 0
                && blocks.get(first - 1).downsample() == blocks.get(number).downsample()) {
            first--;
        }
        return first;
    }

    /** How many blocks use one matching in a step with a block, itself among them. */
    private static int sharing(List<? extends MergeableBlock> blocks, int number, ToMeOptions options) {
        IntPredicate shares =
                switch (options.matchPer()) {
                    case BLOCK -> other -> other == number;
                    case SIDE -> other -> firstOfSide(blocks, other) == firstOfSide(blocks, number);
                    case LEVEL ->
                        other -> blocks.get(other).downsample()
                                == blocks.get(number).downsample();
                };
        return (int) IntStream.range(0, blocks.size()).filter(shares).count();
    }

    private static boolean isEligible(MergeableBlock block, ToMeOptions options) {
        return block.downsample() <= options.maxDownsample();
    }

    private static void requireEffect(List<? extends MergeableBlock> blocks, ToMeOptions options) {
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("Nothing would be merged: the model has no transformer blocks");
        }
        if (!options.mergesAnyPart()) {
            throw new OptionException(
                    "Nothing would be merged: {merge_attn}, {merge_crossattn} and {merge_mlp} are all off;"
                            + " turn one on");
        }
        if (blocks.stream().noneMatch(block -> isEligible(block, options))) {
            var downsamples =
                    blocks.stream().map(MergeableBlock::downsample).collect(Collectors.toCollection(TreeSet::new));
            throw new OptionException("Nothing would be merged: {max_downsample} is " + options.maxDownsample()
                    + ", and this model's transformer blocks are at downsample "
                    + downsamples.stream().map(String::valueOf).collect(Collectors.joining(", "))
                    + "; use {max_downsample} " + downsamples.first() + " or more");
        }
    }

    private static List<String> notes(
            ToMeOptions options, List<PatchReport.PatchedBlock> patched, List<PatchReport.UnmergedBlock> unmerged) {
        List<String> notes = new ArrayList<>();
        double most = options.method().strategy().highestRatio(options);
        if (options.ratio() > most) {
            notes.add(String.format(
                    Locale.ROOT,
                    "ratio %s is clamped to %.4g, all that cells of %d x %d leave to merge",
                    options.ratio(),
                    most,
                    options.sx(),
                    options.sy()));
        }
        if (!patched.isEmpty() && patched.stream().allMatch(block -> block.tokensBefore() == block.tokensAfter())) {
            notes.add("no tokens are merged at this size: it is too small for the ratio or the cells");
        }
        unmerged.stream()
                .map(block -> "off for " + block.tokens() + " tokens at downsample " + block.downsample() + ": "
                        + block.reason())
                .distinct()
                .forEach(notes::add);
        return List.copyOf(notes);
    }
}
