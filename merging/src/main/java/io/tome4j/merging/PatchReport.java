package io.tome4j.merging;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What merging does to a model's tokens.
 *
 * @param options the options as asked for
 * @param input the size of the model's input that tokens are counted at
 * @param blocks the patched blocks that merge, in the order they run in
 * @param unmerged those that {@link ToMeOptions#auto} turned merging off for
 * @param blocksInModel how many blocks could have been patched
 * @param notes what the user should know, such as a ratio that was clamped
 */
public record PatchReport(
        ToMeOptions options,
        TokenGrid input,
        List<PatchedBlock> blocks,
        List<UnmergedBlock> unmerged,
        int blocksInModel,
        List<String> notes) {

    /**
     * @param name the block's name in the model
     * @param downsample how many times smaller than the input its feature map is
     * @param tokensBefore tokens of an image before merging
     * @param tokensAfter tokens of an image after merging (of keys and values, where only those are fewer)
     */
    public record PatchedBlock(String name, int downsample, int tokensBefore, int tokensAfter) {}

    /**
     * @param name the block's name in the model
     * @param downsample how many times smaller than the input its feature map is
     * @param tokens tokens of an image
     * @param reason why it does not merge
     */
    public record UnmergedBlock(String name, int downsample, int tokens, String reason) {}

    /** Tokens of all patched blocks before merging. */
    public long tokensBefore() {
        return blocks.stream().mapToLong(PatchedBlock::tokensBefore).sum();
    }

    /** Tokens of all patched blocks after merging. */
    public long tokensAfter() {
        return blocks.stream().mapToLong(PatchedBlock::tokensAfter).sum();
    }

    /** The same with another thing that the user should know. */
    public PatchReport withNote(String note) {
        List<String> all = new ArrayList<>(notes);
        all.add(note);
        return new PatchReport(options, input, blocks, unmerged, blocksInModel, List.copyOf(all));
    }

    /** Whether anything was to be merged. */
    public boolean merges() {
        return options.merges();
    }

    /** One line for people: {@code 5 of 16 blocks merge 4096 tokens into 2048 (ratio 0.5)}, with {@code max_downsample} if it is not 1. */
    public String summary() {
        if (!merges()) {
            return "off";
        }
        String method = options.method() == ToMeOptions.Method.TOME
                ? ""
                : options.method().name().toLowerCase(Locale.ROOT) + ", ";
        String what = blocks.stream()
                .max(Comparator.comparingInt(PatchedBlock::tokensBefore))
                .map(most -> " up to " + most.tokensBefore() + " tokens into " + most.tokensAfter())
                .orElse("");
        return String.format(
                        Locale.ROOT,
                        "%d of %d blocks merge%s (%sratio %s%s)",
                        blocks.size(),
                        blocksInModel,
                        what,
                        method,
                        options.ratioText(),
                        options.maxDownsample() == 1 ? "" : ", max_downsample " + options.maxDownsample())
                + (notes.isEmpty() ? "" : "; " + String.join("; ", notes));
    }
}
