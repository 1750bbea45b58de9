package io.tome4j.cli.options;

import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How to merge, whatever the method and the share of the tokens. */
public class MergingDetailOptions {
    @Option(
            names = "--max-downsample",
            paramLabel = "1|2|4|8",
            defaultValue = "1",
            description = "Merge where the feature map is at most this much smaller than the latents"
                    + " (default: ${DEFAULT-VALUE}).")
    int maxDownsample = 1;

    @Option(
            names = "--sx",
            paramLabel = "N",
            defaultValue = "2",
            description = "Width of the cells that keep one destination token each (default: ${DEFAULT-VALUE}).")
    int sx = 2;

    @Option(
            names = "--sy",
            paramLabel = "N",
            defaultValue = "2",
            description = "Height of these cells (default: ${DEFAULT-VALUE}).")
    int sy = 2;

    @Option(names = "--no-rand", description = "Take each cell's top left token instead of a random one.")
    boolean noRand;

    @Option(
            names = "--merge-attn",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Merge for self-attention (default: on).")
    boolean mergeAttn = true;

    @Option(names = "--merge-crossattn", description = "Merge for cross-attention.")
    boolean mergeCrossattn;

    @Option(names = "--merge-mlp", description = "Merge for the feed-forward layers.")
    boolean mergeMlp;

    @Option(
            names = "--size-weighted",
            description = "A merged token counts in self-attention as often as it stands for a token.")
    boolean sizeWeighted;

    @Option(
            names = "--match-per",
            paramLabel = "block|level",
            description =
                    "Match tokens in each block (with --tomesd), or once for all blocks of the same size (default).")
    Optional<ToMeOptions.MatchPer> matchPer = Optional.empty();

    @Option(
            names = "--match-every",
            paramLabel = "N",
            defaultValue = "1",
            description = "Keep matchings for this many steps (default: ${DEFAULT-VALUE}).")
    int matchEvery = 1;

    @Option(
            names = "--match-together",
            description = "Match an image's unconditional and conditional half once for both.")
    boolean matchTogether;

    @Option(
            names = "--match-precision",
            paramLabel = "fp32|bf16|input",
            description =
                    "What tokens are compared in (default: fp32; with --tomesd input, what the model computes in).")
    Optional<Precision> matchPrecision = Optional.empty();

    @Option(names = "--tomesd", description = "Behave exactly as the Python package tomesd, random draws included.")
    boolean tomesd;

    /**
     * @param ratio the share of tokens to merge away
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    public ToMeOptions options(ToMeOptions.Method method, double ratio) {
        ToMeOptions usual = ToMeOptions.ratio(ratio)
                .mode(tomesd ? ToMeOptions.Mode.TOMESD : ToMeOptions.Mode.SEEDED)
                .maxDownsample(maxDownsample)
                .stride(sx, sy)
                .useRand(!noRand)
                .mergeAttn(mergeAttn);
        return usual.method(method)
                .mergeCrossattn(mergeCrossattn)
                .mergeMlp(mergeMlp)
                .sizeWeighted(sizeWeighted)
                .matching(new ToMeOptions.Matching(
                        matchPer.orElse(usual.matching().per()),
                        matchEvery,
                        matchTogether,
                        matchPrecision.orElse(usual.matching().precision())));
    }
}
