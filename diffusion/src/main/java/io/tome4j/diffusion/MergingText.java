package io.tome4j.diffusion;

import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Mode;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The options of token merging among an image's generation parameters. */
final class MergingText {
    private static final String TRUE = "True";
    private static final String FALSE = "False";

    private MergingText() {}

    /** Puts the ratio, and what is not as usual. */
    static void put(Map<String, String> values, ToMeOptions options) {
        ToMeOptions usual = ToMeOptions.ratio(options.ratio());
        values.put("Token merging ratio", GenerationParameters.number(options.ratio()));
        if (options.maxDownsample() != usual.maxDownsample()) {
            values.put("Token merging maximum down sampling", String.valueOf(options.maxDownsample()));
        }
        if (options.sx() != usual.sx() || options.sy() != usual.sy()) {
            values.put("Token merging stride x", String.valueOf(options.sx()));
            values.put("Token merging stride y", String.valueOf(options.sy()));
        }
        if (!options.useRand()) {
            values.put("Token merging random", FALSE);
        }
        if (!options.mergeAttn()) {
            values.put("Token merging merge attention", FALSE);
        }
        if (options.mergeCrossattn()) {
            values.put("Token merging merge cross attention", TRUE);
        }
        if (options.mergeMlp()) {
            values.put("Token merging merge mlp", TRUE);
        }
        if (options.mode() != usual.mode()) {
            values.put("Token merging mode", options.mode().name().toLowerCase(Locale.ROOT));
        }
        if (options.method() != usual.method()) {
            values.put("Token merging method", options.method().name().toLowerCase(Locale.ROOT));
        }
        if (options.sizeWeighted()) {
            values.put("Token merging size weighted", TRUE);
        }
        putMatching(values, options.matching(), usual.mode(options.mode()).matching());
        if (options.auto()) {
            values.put("Token merging auto", TRUE);
        }
    }

    private static void putMatching(
            Map<String, String> values, ToMeOptions.Matching matching, ToMeOptions.Matching usual) {
        if (matching.per() != usual.per()) {
            values.put("Token merging match per", matching.per().name().toLowerCase(Locale.ROOT));
        }
        if (matching.every() != usual.every()) {
            values.put("Token merging match every", String.valueOf(matching.every()));
        }
        if (matching.together() != usual.together()) {
            values.put("Token merging match together", matching.together() ? TRUE : FALSE);
        }
        if (matching.precision() != usual.precision()) {
            values.put(
                    "Token merging match precision", matching.precision().name().toLowerCase(Locale.ROOT));
        }
    }

    /** The options, or none if there is no ratio. */
    static List<ToMeOptions> read(ParameterValues values) {
        if (!values.has("Token merging ratio")) {
            return List.of();
        }
        ToMeOptions usual = ToMeOptions.ratio(values.number("Token merging ratio", 0));
        usual = usual.mode(values.oneOf("Token merging mode", Mode.class, usual.mode()));
        return List.of(new ToMeOptions(
                usual.ratio(),
                Math.toIntExact(values.integer("Token merging maximum down sampling", usual.maxDownsample())),
                Math.toIntExact(values.integer("Token merging stride x", usual.sx())),
                Math.toIntExact(values.integer("Token merging stride y", usual.sy())),
                values.flag("Token merging random", usual.useRand()),
                values.flag("Token merging merge attention", usual.mergeAttn()),
                values.flag("Token merging merge cross attention", usual.mergeCrossattn()),
                values.flag("Token merging merge mlp", usual.mergeMlp()),
                usual.mode(),
                values.oneOf("Token merging method", ToMeOptions.Method.class, usual.method()),
                values.flag("Token merging size weighted", usual.sizeWeighted()),
                matching(values, usual.matching()),
                values.flag("Token merging auto", usual.auto())));
    }

    private static ToMeOptions.Matching matching(ParameterValues values, ToMeOptions.Matching usual) {
        return new ToMeOptions.Matching(
                values.oneOf("Token merging match per", ToMeOptions.MatchPer.class, usual.per()),
                Math.toIntExact(values.integer("Token merging match every", usual.every())),
                values.flag("Token merging match together", usual.together()),
                values.oneOf("Token merging match precision", Precision.class, usual.precision()));
    }
}
