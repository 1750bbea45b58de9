package io.tome4j.cli.tune;

import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.merging.ToMeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Options of merging as a user writes them on the command line. */
final class MergingArguments {
    private MergingArguments() {}

    /** The arguments that make {@link MergingOptions} these options; those left out are at their defaults. */
    static String of(Optional<ToMeOptions> setting) {
        if (setting.isEmpty()) {
            return "--merging off";
        }
        ToMeOptions options = setting.get();
        ToMeOptions usual = ToMeOptions.ratio(options.ratio()).mode(options.mode());
        List<String> arguments = new ArrayList<>(List.of("--ratio " + options.ratio()));
        if (options.mode() == ToMeOptions.Mode.TOMESD) {
            arguments.add("--tomesd");
        }
        add(arguments, options.auto(), "--merging auto");
        add(arguments, options.method() != usual.method(), "--method " + LowerCase.name(options.method()));
        add(arguments, options.maxDownsample() != usual.maxDownsample(), "--max-downsample " + options.maxDownsample());
        add(arguments, options.sx() != usual.sx(), "--sx " + options.sx());
        add(arguments, options.sy() != usual.sy(), "--sy " + options.sy());
        add(arguments, !options.useRand(), "--no-rand");
        add(arguments, !options.mergeAttn(), "--no-merge-attn");
        add(arguments, options.mergeCrossattn(), "--merge-crossattn");
        add(arguments, options.mergeMlp(), "--merge-mlp");
        add(arguments, options.sizeWeighted(), "--size-weighted");
        ToMeOptions.Matching matching = options.matching();
        ToMeOptions.Matching usually = usual.matching();
        add(arguments, matching.per() != usually.per(), "--match-per " + LowerCase.name(matching.per()));
        add(arguments, matching.every() != usually.every(), "--match-every " + matching.every());
        add(arguments, matching.together(), "--match-together");
        add(
                arguments,
                matching.precision() != usually.precision(),
                "--match-precision " + LowerCase.name(matching.precision()));
        return String.join(" ", arguments);
    }

    private static void add(List<String> arguments, boolean wanted, String argument) {
        if (wanted) {
            arguments.add(argument);
        }
    }
}
