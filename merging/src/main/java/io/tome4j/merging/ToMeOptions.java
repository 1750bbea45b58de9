package io.tome4j.merging;

import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.OptionValues;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What to merge. The names and defaults are those of {@code tomesd.apply_patch}, where it has them. Immutable: each method
 * that takes a value gives new options.
 *
 * <pre>{@code
 * ToMeOptions.ratio(0.5).maxDownsample(2).mergeMlp(true)
 * }</pre>
 *
 * A new option is a line of the table below and an accessor.
 */
public final class ToMeOptions {
    /** Whose habits to follow where ours and tomesd's differ. */
    public enum Mode {
        /**
         * Destinations are drawn from a generator keyed by the image's seed, the step and the block, so that the same
         * request gives the same image whatever ran before.
         */
        SEEDED,
        /**
         * As tomesd 0.1.3 does on a CPU: one generator runs on from draw to draw; draws are off where the batch is odd;
         * tokens are compared in their own dtype, in each block anew.
         */
        TOMESD
    }

    /** Which tokens self-attention sees fewer of. A new method is a {@link MergeMethod} and a line here. */
    public enum Method {
        /** All: queries, keys and values are merged (arXiv 2303.17604). */
        TOME(new MergeAllTokens()),
        /** Keys and values, sampled from the grid without matching; queries stay whole (ToDo, arXiv 2402.13573). */
        TODO(new SampleKeys()),
        /** Queries, matched by what they are projected from; keys and values stay whole (as ComfyUI's node does). */
        QUERY(new MergeQueries());

        @SuppressWarnings("ImmutableEnumChecker") // methods hold no state
        private final MergeMethod strategy;

        Method(MergeMethod strategy) {
            this.strategy = strategy;
        }

        MergeMethod strategy() {
            return strategy;
        }
    }

    /** Which blocks use the same matching in a step. */
    public enum MatchPer {
        /** None: each block matches its own tokens. */
        BLOCK,
        /** Those whose tokens have the same grid and that follow on each other: on each side of the UNet the first matches. */
        SIDE,
        /** Those whose tokens have the same grid: the first of them matches. */
        LEVEL
    }

    public static final Option<Double> RATIO = Option.of("ratio", 0.5)
            .titled("Token merging ratio")
            .described("SHARE", "Share of tokens to merge away, from 0 (off) to 1.")
            .allowing(
                    ratio -> ratio >= 0 && ratio <= 1,
                    "it is the share of tokens to merge away, from 0 (none) to 1; 0.5 is a good start");

    /** The ratio is the same in all steps. */
    private static final double AS_IN_THE_FIRST_STEP = -1;

    private static final String TO = "..";

    /** To how small a share a step's ratio is rounded. */
    private static final double FINE = 1e9;

    public static final Option<Double> RATIO_END = Option.of("ratio_end", AS_IN_THE_FIRST_STEP)
            .titled("Token merging ratio end")
            .described(
                    "SHARE",
                    "The ratio of the last step, to which it changes evenly from the first step's; -1 is the same in all."
                            + " A ratio of 0.2..0.6 is short for both.")
            .allowing(
                    ratio -> ratio == AS_IN_THE_FIRST_STEP || (ratio >= 0 && ratio <= 1),
                    "it is the share of tokens to merge away in the last step, from 0 (none) to 1; -1 is as in the first");

    private static final int DEEPEST = 8;

    public static final Option<Integer> MAX_DOWNSAMPLE = Option.of("max_downsample", 1)
            .titled("Token merging maximum down sampling")
            .described(
                    "1|2|4|8",
                    "Merge where the feature map is at most this much smaller than the latents; a model without blocks at"
                            + " full size, such as SDXL, has 2 where nothing is said.")
            .allowing(
                    value -> value == 1 || value == 2 || value == 4 || value == 8,
                    "it must be 1 (only the blocks at full size), 2, 4 or 8 (all blocks)");

    private static final String AT_LEAST_ONE =
            "the cells that destinations are drawn from are at least 1 token wide and high";

    public static final Option<Integer> SX = Option.of("sx", 2)
            .titled("Token merging stride x")
            .described("Width of the cells that keep one destination token each.")
            .allowing(value -> value >= 1, AT_LEAST_ONE);

    public static final Option<Integer> SY = Option.of("sy", 2)
            .titled("Token merging stride y")
            .described("Height of these cells.")
            .allowing(value -> value >= 1, AT_LEAST_ONE);

    public static final Option<Boolean> USE_RAND = Option.of("use_rand", true)
            .titled("Token merging random")
            .described("Take a random token of each cell; otherwise its top left one.");

    public static final Option<Boolean> MERGE_ATTN = Option.of("merge_attn", true)
            .titled("Token merging merge attention")
            .described("Merge for self-attention.");

    public static final Option<Boolean> MERGE_CROSSATTN = Option.of("merge_crossattn", false)
            .titled("Token merging merge cross attention")
            .described("Merge for cross-attention.");

    public static final Option<Boolean> MERGE_MLP = Option.of("merge_mlp", false)
            .titled("Token merging merge mlp")
            .described("Merge for the feed-forward layers.");

    public static final Option<Mode> MODE = Option.of("mode", Mode.SEEDED)
            .titled("Token merging mode")
            .described("Draw by seed, step and block, or behave exactly as the Python package tomesd.");

    public static final Option<Method> METHOD = Option.of("method", Method.TOME)
            .titled("Token merging method")
            .described("Merge all tokens, downsample keys and values (ToDo), or merge queries only.");

    public static final Option<Boolean> SIZE_WEIGHTED = Option.of("size_weighted", false)
            .titled("Token merging size weighted")
            .described("A merged token counts in self-attention as often as it stands for a token.");

    public static final Option<MatchPer> MATCH_PER = Option.of("match_per", MatchPer.SIDE)
            .titled("Token merging match per")
            .described(
                    "Match tokens in each block, or once for all blocks of the same size: on each side of the UNet, or on both.");

    public static final Option<Integer> MATCH_EVERY = Option.of("match_every", 1)
            .titled("Token merging match every")
            .described("Keep matchings for this many steps.")
            .allowing(value -> value >= 1, "it is how many steps share a matching, 1 or more");

    public static final Option<Boolean> MATCH_TOGETHER = Option.of("match_together", false)
            .titled("Token merging match together")
            .described("Match an image's unconditional and conditional half once for both.");

    public static final Option<Precision> MATCH_PRECISION = Option.of("match_precision", Precision.FP32)
            .titled("Token merging match precision")
            .described("What tokens are compared in; input: what the model computes in.");

    public static final Option<Boolean> AUTO =
            Option.of("auto", false).titled("Token merging auto").described("Merge only where it is predicted to pay.");

    /** All options, in the order to show them. */
    public static final List<Option<?>> OPTIONS = List.of(
            RATIO,
            RATIO_END,
            MAX_DOWNSAMPLE,
            SX,
            SY,
            USE_RAND,
            MERGE_ATTN,
            MERGE_CROSSATTN,
            MERGE_MLP,
            MODE,
            METHOD,
            SIZE_WEIGHTED,
            MATCH_PER,
            MATCH_EVERY,
            MATCH_TOGETHER,
            MATCH_PRECISION,
            AUTO);

    /** How tokens are matched: {@link Mode#TOMESD} leaves no choice of it. */
    private static final List<Option<?>> MATCHING = List.of(MATCH_PER, MATCH_EVERY, MATCH_TOGETHER, MATCH_PRECISION);

    /** What is another default in {@link Mode#TOMESD}. */
    private static final Map<Option<?>, Object> TOMESD_DEFAULTS =
            Map.of(MATCH_PER, MatchPer.BLOCK, MATCH_PRECISION, Precision.INPUT);

    /** No merging: the one way to say so. */
    public static final ToMeOptions NONE = ratio(0);

    private final OptionValues values;

    private ToMeOptions(OptionValues values) {
        this.values = values;
        if (mode() == Mode.TOMESD
                && (method() != Method.TOME
                        || ratioChanges()
                        || sizeWeighted()
                        || MATCHING.stream().anyMatch(values::has))) {
            throw new OptionException(
                    "{mode} tomesd is exactly what tomesd does: it leaves no choice of {method},"
                            + " {ratio_end}, {size_weighted}, {match_per}, {match_every}, {match_together} or {match_precision}");
        }
        method().strategy().require(this);
    }

    /** The defaults, with this ratio. */
    public static ToMeOptions ratio(double ratio) {
        return new ToMeOptions(OptionValues.DEFAULTS).with(RATIO, ratio);
    }

    /** What an option is. */
    @SuppressWarnings("unchecked") // the other mode's defaults have their options' types
    public <T> T get(Option<T> option) {
        return values.has(option) ? values.get(option) : (T) usual(option);
    }

    private Object usual(Option<?> option) {
        Object ours = option.defaultValue();
        return values.get(MODE) == Mode.TOMESD ? TOMESD_DEFAULTS.getOrDefault(option, ours) : ours;
    }

    /** Whether an option is what it is unless somebody says otherwise. */
    public boolean isUsual(Option<?> option) {
        return option.equals(MAX_DOWNSAMPLE) ? !values.has(option) : get(option).equals(usual(option));
    }

    /**
     * The same with one option chosen anew. Choosing the mode takes back what was chosen of matching.
     *
     * @throws OptionException if the value is out of its range, or has no effect beside another
     */
    public <T> ToMeOptions with(Option<T> option, T value) {
        OptionValues base = values;
        if (option.equals(MODE)) {
            for (Option<?> matching : MATCHING) {
                base = base.without(matching);
            }
        }
        option.require(value);
        // 1 is a choice: it is not what every model has where nobody chose
        boolean asIfNotChosen = value.equals(usual(option)) && !option.equals(MAX_DOWNSAMPLE);
        return new ToMeOptions(asIfNotChosen ? base.without(option) : base.with(option, value));
    }

    /**
     * As {@link #with(Option, Object)}, with the value as {@link Option#format} writes it. A ratio may also be that of the first
     * step and that of the last, {@code 0.2..0.6}; one alone is that of all steps, whatever was said before.
     */
    public <T> ToMeOptions withText(Option<T> option, String text) {
        if (!option.equals(RATIO)) {
            return with(option, option.parse(text));
        }
        int to = text.indexOf(TO);
        return to < 0
                ? withRatio(RATIO.parse(text))
                : withRatio(RATIO.parse(text.substring(0, to)), RATIO.parse(text.substring(to + TO.length())));
    }

    /** Whether anything is to be merged in any step. */
    public boolean merges() {
        return highestRatio() > 0;
    }

    /**
     * The share of tokens to merge away, in [0, 1]; at most {@code 1 - 1 / (sx * sy)} has an effect, more is clamped and
     * the {@link PatchReport} says so. For {@link Method#TODO} the share of keys and values to drop, both sides of the grid
     * shrinking by {@code sqrt(1 - ratio)}.
     */
    public double ratio() {
        return get(RATIO);
    }

    /** The same ratio in all steps. */
    public ToMeOptions withRatio(double value) {
        return with(RATIO_END, AS_IN_THE_FIRST_STEP).with(RATIO, value);
    }

    /**
     * A ratio that changes evenly from the first step to the last. Steps are calls of the model, as the scheduler makes them;
     * where steps share a matching, they share the ratio of the first of them. Each pass of a run (that of a refiner, the
     * second one of hires) goes through all of it.
     *
     * @param first in [0, 1], the first step's
     * @param last in [0, 1], the last step's; a run of one step has the first's
     */
    public ToMeOptions withRatio(double first, double last) {
        RATIO.require(last);
        return with(RATIO, first).with(RATIO_END, last == first ? AS_IN_THE_FIRST_STEP : last);
    }

    /** The last step's ratio, in [0, 1]; {@link #ratio} where it is the same in all. */
    public double ratioEnd() {
        double end = get(RATIO_END);
        return end == AS_IN_THE_FIRST_STEP ? ratio() : end;
    }

    /** Whether the ratio changes from step to step. */
    public boolean ratioChanges() {
        return ratioEnd() != ratio();
    }

    /** The ratio of the step that merges most. */
    public double highestRatio() {
        return Math.max(ratio(), ratioEnd());
    }

    /** The ratio for people: {@code 0.5}, or {@code 0.2..0.6}. */
    public String ratioText() {
        return ratioChanges() ? RATIO.format(ratio()) + TO + RATIO.format(ratioEnd()) : String.valueOf(ratio());
    }

    /**
     * The options of one step, whose ratio does not change.
     *
     * @param step from 0
     * @param steps of the run
     * @throws IllegalArgumentException if the ratio changes, and there is no such step
     */
    public ToMeOptions at(int step, int steps) {
        if (!ratioChanges()) {
            return this;
        }
        if (step < 0 || step >= steps) {
            throw new IllegalArgumentException("The ratio goes from " + ratioText() + ", and step " + step
                    + " is none of a run of " + steps + ": say with MergeRun.step how many steps there are");
        }
        double share = steps == 1 ? 0 : (double) step / (steps - 1);
        double exact = ratio() + share * (ratioEnd() - ratio());
        return withRatio(Math.rint(exact * FINE) / FINE); // 0.6 - 0.2 is to be 0.4, and not a bit less
    }

    /**
     * Merge in blocks whose feature map is at most this much smaller than the latents: 1, 2, 4 or 8. Where it was not chosen, a
     * run takes the least at which its model has blocks: 1, and 2 for SDXL, which has none at full size.
     */
    public int maxDownsample() {
        return get(MAX_DOWNSAMPLE);
    }

    public ToMeOptions maxDownsample(int value) {
        return with(MAX_DOWNSAMPLE, value);
    }

    /**
     * The same for a model; where {@link #maxDownsample} was chosen, just the same.
     *
     * @param leastDownsample how many times smaller than the input its largest feature map with blocks is
     */
    public ToMeOptions forBlocksFrom(int leastDownsample) {
        if (!merges() || values.has(MAX_DOWNSAMPLE) || leastDownsample <= MAX_DOWNSAMPLE.defaultValue()) {
            return this;
        }
        int fitting = 2;
        while (fitting < leastDownsample && fitting < DEEPEST) {
            fitting *= 2;
        }
        return maxDownsample(fitting);
    }

    /** Width in tokens of the cells that one destination each is drawn from, at least 1. */
    public int sx() {
        return get(SX);
    }

    /** Height in tokens of these cells, at least 1. */
    public int sy() {
        return get(SY);
    }

    /** Cells of {@code sx} by {@code sy} tokens. */
    public ToMeOptions stride(int sx, int sy) {
        return with(SX, sx).with(SY, sy);
    }

    /** Whether each cell's destination is drawn at random; otherwise it is the cell's top left token. */
    public boolean useRand() {
        return get(USE_RAND);
    }

    public ToMeOptions useRand(boolean value) {
        return with(USE_RAND, value);
    }

    /** Whether to merge for self-attention. */
    public boolean mergeAttn() {
        return get(MERGE_ATTN);
    }

    public ToMeOptions mergeAttn(boolean value) {
        return with(MERGE_ATTN, value);
    }

    /** Whether to merge for cross-attention. */
    public boolean mergeCrossattn() {
        return get(MERGE_CROSSATTN);
    }

    public ToMeOptions mergeCrossattn(boolean value) {
        return with(MERGE_CROSSATTN, value);
    }

    /** Whether to merge for the feed-forward layers. */
    public boolean mergeMlp() {
        return get(MERGE_MLP);
    }

    public ToMeOptions mergeMlp(boolean value) {
        return with(MERGE_MLP, value);
    }

    /** Where draws come from. */
    public Mode mode() {
        return get(MODE);
    }

    /** Takes back what was chosen of matching. */
    public ToMeOptions mode(Mode value) {
        return with(MODE, value);
    }

    /** Which tokens self-attention sees fewer of. */
    public Method method() {
        return get(METHOD);
    }

    public ToMeOptions method(Method value) {
        return with(METHOD, value);
    }

    /** Whether a merged token counts in self-attention as often as it stands for a token (arXiv 2210.09461, section 3). */
    public boolean sizeWeighted() {
        return get(SIZE_WEIGHTED);
    }

    public ToMeOptions sizeWeighted(boolean value) {
        return with(SIZE_WEIGHTED, value);
    }

    /** Which blocks share a matching. */
    public MatchPer matchPer() {
        return get(MATCH_PER);
    }

    public ToMeOptions matchPer(MatchPer value) {
        return with(MATCH_PER, value);
    }

    /** How many steps share a matching, at least 1. */
    public int matchEvery() {
        return get(MATCH_EVERY);
    }

    public ToMeOptions matchEvery(int steps) {
        return with(MATCH_EVERY, steps);
    }

    /**
     * Whether the copies of an image that a batch holds (under guidance the unconditional and the conditional half) are
     * matched once, by the mean of their tokens.
     */
    public boolean matchTogether() {
        return get(MATCH_TOGETHER);
    }

    public ToMeOptions matchTogether(boolean value) {
        return with(MATCH_TOGETHER, value);
    }

    /** In what tokens are compared. */
    public Precision matchPrecision() {
        return get(MATCH_PRECISION);
    }

    public ToMeOptions matchPrecision(Precision value) {
        return with(MATCH_PRECISION, value);
    }

    /** Whether to merge only where it is predicted to pay; the {@link PatchReport} says where not. */
    public boolean auto() {
        return get(AUTO);
    }

    public ToMeOptions auto(boolean value) {
        return with(AUTO, value);
    }

    /** Whether regions of an image can be left out of merging; of no merging they can. */
    public boolean canProtect() {
        return !merges() || (mode() != Mode.TOMESD && method().strategy().matches());
    }

    /** @throws OptionException if regions of an image cannot be left out of merging */
    void requireProtection() {
        if (!canProtect()) {
            throw new OptionException(
                    "{protect} leaves tokens out of a matching: it needs {method} tome or query, and not"
                            + " {mode} tomesd");
        }
    }

    /** Whether any method but sampling chose how to match. */
    boolean choosesMatching() {
        return MATCHING.stream().anyMatch(values::has);
    }

    /** Whether a matching is used more than once. */
    boolean sharesMatchings() {
        return matchPer() != MatchPer.BLOCK || matchEvery() > 1;
    }

    /** Whether any part of a block is to be merged at all. */
    boolean mergesAnyPart() {
        return mergeAttn() || mergeCrossattn() || mergeMlp();
    }

    /**
     * What kept results are known by: the ratio, and in the table's order all that is not {@linkplain #isUsual usual}, as
     * {@code ratio=0.5 method=todo}; {@code off} without merging. An option that is new leaves it as it was.
     */
    public String identity() {
        if (!merges()) {
            return "off";
        }
        return OPTIONS.stream()
                .filter(option -> option.equals(RATIO) || !isUsual(option))
                .map(option -> option.name() + "=" + text(option))
                .collect(Collectors.joining(" "));
    }

    /** What an option is, as {@link Option#format} writes it. */
    public <T> String text(Option<T> option) {
        return option.format(get(option));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ToMeOptions options && options.values.equals(values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(values);
    }

    @Override
    public String toString() {
        return identity();
    }
}
