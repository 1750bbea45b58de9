package io.tome4j.merging;

import java.util.function.Consumer;

/**
 * What to merge. The names and defaults are those of {@code tomesd.apply_patch}, where it has them.
 *
 * <pre>{@code
 * ToMeOptions.ratio(0.5).maxDownsample(2).mergeMlp(true)
 * }</pre>
 *
 * @param ratio the share of tokens to merge away, in [0, 1]; at most {@code 1 - 1 / (sx * sy)} has an effect, more is
 *     clamped and the {@link PatchReport} says so. For {@link Method#TODO} the share of keys and values to drop, both
 *     sides of the grid shrinking by {@code sqrt(1 - ratio)}
 * @param maxDownsample merge in blocks whose feature map is at most this much smaller than the latents: 1, 2, 4 or 8
 * @param sx width in tokens of the cells that one destination each is drawn from, at least 1
 * @param sy height in tokens of these cells, at least 1
 * @param useRand draw each cell's destination at random; otherwise it is the cell's top left token
 * @param mergeAttn merge for self-attention
 * @param mergeCrossattn merge for cross-attention
 * @param mergeMlp merge for the feed-forward layers
 * @param mode where draws come from
 * @param method which tokens self-attention sees fewer of
 * @param sizeWeighted let a merged token count in self-attention as often as it stands for a token (arXiv 2210.09461,
 *     section 3)
 * @param matching how often tokens are matched, and how exactly
 * @param auto merge only where it is predicted to pay; the {@link PatchReport} says where not
 */
public record ToMeOptions(
        double ratio,
        int maxDownsample,
        int sx,
        int sy,
        boolean useRand,
        boolean mergeAttn,
        boolean mergeCrossattn,
        boolean mergeMlp,
        Mode mode,
        Method method,
        boolean sizeWeighted,
        Matching matching,
        boolean auto) {

    /** Whose habits to follow where ours and tomesd's differ. */
    public enum Mode {
        /**
         * Destinations are drawn from a generator keyed by the image's seed, the step and the block, so that the same
         * request gives the same image whatever ran before.
         */
        SEEDED,
        /**
         * As tomesd 0.1.3 does on a CPU: at the first draw the state of libtorch's default CPU generator is copied, and
         * that copy runs on from draw to draw and from image to image; draws are off where the batch is odd; tokens are
         * compared in their own dtype, in each block anew.
         */
        TOMESD
    }

    /** Which tokens self-attention sees fewer of. */
    public enum Method {
        /** All: queries, keys and values are merged (arXiv 2303.17604). */
        TOME,
        /** Keys and values, sampled from the grid without matching; queries stay whole (ToDo, arXiv 2402.13573). */
        TODO,
        /** Queries, matched by what they are projected from; keys and values stay whole (as ComfyUI's node does). */
        QUERY
    }

    /** Which blocks use the same matching in a step. */
    public enum MatchPer {
        /** None: each block matches its own tokens. */
        BLOCK,
        /** Those whose tokens have the same grid: the first of them matches. Needs a {@link MergeRun}. */
        LEVEL
    }

    /**
     * How often tokens are matched, and how exactly. Sharing over blocks or steps, and over copies, takes a
     * {@link MergeRun}, which owns what is shared; without one each block matches for itself.
     *
     * @param per which blocks share a matching
     * @param every how many steps share a matching, at least 1
     * @param together match the copies of an image that a batch holds (under guidance the unconditional and the
     *     conditional half) once, by the mean of their tokens
     * @param precision in what tokens are compared
     */
    public record Matching(MatchPer per, int every, boolean together, Precision precision) {
        /** What {@link Mode#SEEDED} does unless told otherwise. */
        public static final Matching DEFAULT = new Matching(MatchPer.LEVEL, 1, false, Precision.FP32);

        /** What tomesd does. */
        public static final Matching TOMESD = new Matching(MatchPer.BLOCK, 1, false, Precision.INPUT);

        public Matching {
            if (every < 1) {
                throw new IllegalArgumentException(
                        "matchEvery is " + every + ": it is how many steps share a matching, 1 or more");
            }
        }

        /** Whether a matching is used more than once. */
        boolean shares() {
            return per == MatchPer.LEVEL || every > 1;
        }
    }

    /**
     * @throws IllegalArgumentException if an option is out of its range, or has no effect beside another; the message
     *     names it
     */
    public ToMeOptions {
        if (!(ratio >= 0 && ratio <= 1)) {
            throw new IllegalArgumentException("ratio is " + ratio
                    + ": it is the share of tokens to merge away, from 0 (none) to 1; 0.5 is a good start");
        }
        if (maxDownsample != 1 && maxDownsample != 2 && maxDownsample != 4 && maxDownsample != 8) {
            throw new IllegalArgumentException("maxDownsample is " + maxDownsample
                    + ": it must be 1 (only the blocks at full size), 2, 4 or 8 (all blocks)");
        }
        requireStride("sx", sx);
        requireStride("sy", sy);
        if (mode == Mode.TOMESD && !(matching.equals(Matching.TOMESD) && method == Method.TOME && !sizeWeighted)) {
            throw new IllegalArgumentException("mode TOMESD is exactly what tomesd does: it leaves no choice of method,"
                    + " sizeWeighted, matchPer, matchEvery, matchTogether or matchPrecision");
        }
        if (method == Method.TODO && (mergeCrossattn || mergeMlp)) {
            throw new IllegalArgumentException("method TODO samples the keys and values of self-attention:"
                    + " mergeCrossattn and mergeMlp need method TOME or QUERY");
        }
        if (method == Method.TODO && !matching.equals(Matching.DEFAULT)) {
            throw new IllegalArgumentException("method TODO matches no tokens: matchPer, matchEvery, matchTogether and"
                    + " matchPrecision need method TOME or QUERY");
        }
        if (sizeWeighted && (method != Method.TOME || !mergeAttn)) {
            throw new IllegalArgumentException(
                    "sizeWeighted weighs the merged keys of self-attention: it needs method TOME and mergeAttn");
        }
    }

    private static void requireStride(String name, int stride) {
        if (stride < 1) {
            throw new IllegalArgumentException(
                    name + " is " + stride + ": the cells that destinations are drawn from are at least 1 token wide");
        }
    }

    /** The defaults, with this ratio. */
    public static ToMeOptions ratio(double ratio) {
        return new ToMeOptions(
                ratio, 1, 2, 2, true, true, false, false, Mode.SEEDED, Method.TOME, false, Matching.DEFAULT, false);
    }

    public ToMeOptions withRatio(double value) {
        return with(draft -> draft.ratio = value);
    }

    public ToMeOptions maxDownsample(int value) {
        return with(draft -> draft.maxDownsample = value);
    }

    /** Cells of {@code sx} by {@code sy} tokens. */
    public ToMeOptions stride(int newSx, int newSy) {
        return with(draft -> {
            draft.sx = newSx;
            draft.sy = newSy;
        });
    }

    public ToMeOptions useRand(boolean value) {
        return with(draft -> draft.useRand = value);
    }

    public ToMeOptions mergeAttn(boolean value) {
        return with(draft -> draft.mergeAttn = value);
    }

    public ToMeOptions mergeCrossattn(boolean value) {
        return with(draft -> draft.mergeCrossattn = value);
    }

    public ToMeOptions mergeMlp(boolean value) {
        return with(draft -> draft.mergeMlp = value);
    }

    /** Also sets {@link #matching} to what the mode does. */
    public ToMeOptions mode(Mode value) {
        return with(draft -> {
            draft.mode = value;
            draft.matching = value == Mode.TOMESD ? Matching.TOMESD : Matching.DEFAULT;
        });
    }

    public ToMeOptions method(Method value) {
        return with(draft -> draft.method = value);
    }

    public ToMeOptions sizeWeighted(boolean value) {
        return with(draft -> draft.sizeWeighted = value);
    }

    public ToMeOptions matching(Matching value) {
        return with(draft -> draft.matching = value);
    }

    public ToMeOptions matchPer(MatchPer value) {
        return matching(new Matching(value, matching.every, matching.together, matching.precision));
    }

    public ToMeOptions matchEvery(int steps) {
        return matching(new Matching(matching.per, steps, matching.together, matching.precision));
    }

    public ToMeOptions matchTogether(boolean value) {
        return matching(new Matching(matching.per, matching.every, value, matching.precision));
    }

    public ToMeOptions matchPrecision(Precision value) {
        return matching(new Matching(matching.per, matching.every, matching.together, value));
    }

    public ToMeOptions auto(boolean value) {
        return with(draft -> draft.auto = value);
    }

    /** Whether any part of a block is to be merged at all. */
    boolean mergesAnything() {
        return mergeAttn || mergeCrossattn || mergeMlp;
    }

    /** How many of an image's tokens go. */
    int merged(TokenGrid grid) {
        return method == Method.TODO
                ? grid.tokens() - GridSampling.coarse(grid, ratio).tokens()
                : grid.merged(ratio, sx, sy);
    }

    private ToMeOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    /** Options that are being changed. */
    private static final class Draft {
        private double ratio;
        private int maxDownsample;
        private int sx;
        private int sy;
        private boolean useRand;
        private boolean mergeAttn;
        private boolean mergeCrossattn;
        private boolean mergeMlp;
        private Mode mode;
        private Method method;
        private boolean sizeWeighted;
        private Matching matching;
        private boolean auto;

        private Draft(ToMeOptions from) {
            ratio = from.ratio;
            maxDownsample = from.maxDownsample;
            sx = from.sx;
            sy = from.sy;
            useRand = from.useRand;
            mergeAttn = from.mergeAttn;
            mergeCrossattn = from.mergeCrossattn;
            mergeMlp = from.mergeMlp;
            mode = from.mode;
            method = from.method;
            sizeWeighted = from.sizeWeighted;
            matching = from.matching;
            auto = from.auto;
        }

        private ToMeOptions options() {
            return new ToMeOptions(
                    ratio,
                    maxDownsample,
                    sx,
                    sy,
                    useRand,
                    mergeAttn,
                    mergeCrossattn,
                    mergeMlp,
                    mode,
                    method,
                    sizeWeighted,
                    matching,
                    auto);
        }
    }
}
