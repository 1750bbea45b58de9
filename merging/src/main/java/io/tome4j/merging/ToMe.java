package io.tome4j.merging;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Token merging for a model: {@code ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5))}. */
public final class ToMe {
    private ToMe() {}

    /**
     * Makes a model's blocks merge their tokens from now on. A model that was patched before is patched anew.
     *
     * @param model what to patch, in place
     * @param options what to merge
     * @return what was patched, with tokens counted at the model's nominal size; with {@link ToMeOptions#auto} blocks
     *     decide anew at the size they run at
     * @throws IllegalArgumentException if nothing would be patched; the message says which option would change that
     */
    public static PatchReport applyPatch(MergeableModel model, ToMeOptions options) {
        PatchReport report = report(model, options, model.nominalGrid());
        removePatch(model);
        DestinationDraw forked = DestinationDraw.forkedFromDefaultGenerator();
        int number = 0;
        for (MergeableBlock block : model.mergeableBlocks()) {
            if (isEligible(block, options)) {
                block.merger(new ToMeMerger(options, number, blocksAtLevel(model, block), forked));
            }
            number++;
        }
        return report;
    }

    /** Takes the patch away: the model computes exactly what it did before. Does nothing to an unpatched model. */
    public static void removePatch(MergeableModel model) {
        for (MergeableBlock block : model.mergeableBlocks()) {
            block.merger(TokenMerger.NONE);
        }
    }

    /** The options that a model is patched with; empty if it is not patched. */
    public static Optional<ToMeOptions> patchedWith(MergeableModel model) {
        return model.mergeableBlocks().stream()
                .flatMap(block -> block.merger().options().stream())
                .findFirst();
    }

    /**
     * What {@link #applyPatch} would do, with tokens counted at another size; changes nothing.
     *
     * @param input the rows and columns of the model's input (of the latents)
     * @throws IllegalArgumentException if nothing would be patched
     */
    public static PatchReport report(MergeableModel model, ToMeOptions options, TokenGrid input) {
        List<? extends MergeableBlock> all = model.mergeableBlocks();
        List<PatchReport.PatchedBlock> patched = new ArrayList<>();
        List<PatchReport.UnmergedBlock> unmerged = new ArrayList<>();
        for (MergeableBlock block : all) {
            if (!isEligible(block, options)) {
                continue;
            }
            TokenGrid grid = input.downsample(block.downsample());
            MergingCost cost = MergingCost.of(options, grid, block.channels(), blocksAtLevel(model, block));
            if (options.auto() && !cost.pays()) {
                unmerged.add(
                        new PatchReport.UnmergedBlock(block.name(), block.downsample(), grid.tokens(), cost.reason()));
            } else {
                patched.add(new PatchReport.PatchedBlock(
                        block.name(), block.downsample(), grid.tokens(), grid.tokens() - options.merged(grid)));
            }
        }
        if (patched.isEmpty() && unmerged.isEmpty()) {
            throw new IllegalArgumentException(whyNothing(all, options));
        }
        return new PatchReport(
                options,
                input,
                List.copyOf(patched),
                List.copyOf(unmerged),
                all.size(),
                notes(options, patched, unmerged));
    }

    private static int blocksAtLevel(MergeableModel model, MergeableBlock block) {
        return (int) model.mergeableBlocks().stream()
                .filter(other -> other.downsample() == block.downsample())
                .count();
    }

    private static boolean isEligible(MergeableBlock block, ToMeOptions options) {
        return options.mergesAnything() && block.downsample() <= options.maxDownsample();
    }

    private static String whyNothing(List<? extends MergeableBlock> blocks, ToMeOptions options) {
        if (blocks.isEmpty()) {
            return "Nothing would be merged: the model has no transformer blocks";
        }
        if (!options.mergesAnything()) {
            return "Nothing would be merged: mergeAttn, mergeCrossattn and mergeMlp are all off; turn one on";
        }
        var downsamples =
                blocks.stream().map(MergeableBlock::downsample).collect(Collectors.toCollection(TreeSet::new));
        return "Nothing would be merged: maxDownsample is " + options.maxDownsample()
                + ", and this model's transformer blocks are at downsample "
                + downsamples.stream().map(String::valueOf).collect(Collectors.joining(", "))
                + "; use maxDownsample " + downsamples.first() + " or more";
    }

    private static List<String> notes(
            ToMeOptions options, List<PatchReport.PatchedBlock> patched, List<PatchReport.UnmergedBlock> unmerged) {
        List<String> notes = new ArrayList<>();
        double most = 1 - 1.0 / (options.sx() * options.sy());
        if (options.method() != ToMeOptions.Method.TODO && options.ratio() > most) {
            notes.add(String.format(
                    Locale.ROOT,
                    "ratio %s is clamped to %.4g, all that cells of %d x %d leave to merge",
                    options.ratio(),
                    most,
                    options.sx(),
                    options.sy()));
        }
        if (options.ratio() == 0) {
            notes.add("ratio 0 merges nothing");
        } else if (!patched.isEmpty()
                && patched.stream().allMatch(block -> block.tokensBefore() == block.tokensAfter())) {
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
