package io.tome4j.cli.session;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Turns what the library says of a bad value into what the program says of a bad option. */
final class UsageErrors {
    /** What the library calls things, and which options set them. */
    private static final Map<String, String> OPTION_NAMES = optionNames();

    private UsageErrors() {}

    /**
     * Runs what may refuse an option's value.
     *
     * @throws ParameterException if it does
     */
    static <T> T named(CommandLine commandLine, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException e) {
            throw of(commandLine, e);
        }
    }

    private static ParameterException of(CommandLine commandLine, IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        for (Map.Entry<String, String> name : OPTION_NAMES.entrySet()) {
            message = message.replaceAll("\\b" + name.getKey() + "\\b", name.getValue());
        }
        return new ParameterException(commandLine, message, e);
    }

    private static Map<String, String> optionNames() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("^ratio is", "--ratio is");
        names.put("^steps is", "--steps is");
        names.put("^width is", "--width is");
        names.put("^height is", "--height is");
        names.put("^sx is", "--sx is");
        names.put("^sy is", "--sy is");
        names.put("^samples is", "--samples is");
        names.put("^repeats is", "--repeats is");
        names.put("^resolutions has", "--resolutions has");
        names.put("^ratios has", "--ratios has");
        names.put("^methods has", "--methods has");
        names.put("^batches has", "--batches has");
        names.put("^variants has", "--variants has");
        names.put("^ratio has", "--ratio has");
        names.put("^maps is", "--maps is");
        names.put("^measures has", "--measures has");
        names.put("^features compare", "--features compare");
        names.put("^block is", "--map-block is");
        names.put("^targetTime is", "--target-time is");
        names.put("^minSsim is", "--min-ssim is");
        names.put("guidanceScale", "--guidance");
        names.put("imagesPerPrompt", "--count");
        names.put("maxDownsample", "--max-downsample");
        names.put("mergeAttn", "--merge-attn");
        names.put("mergeCrossattn", "--merge-crossattn");
        names.put("mergeMlp", "--merge-mlp");
        names.put("mode TOMESD", "--tomesd");
        names.put("method TODO", "--method todo");
        names.put("method TOME or QUERY", "--method tome or query");
        names.put("method TOME", "--method tome");
        names.put("sizeWeighted", "--size-weighted");
        names.put("matchPer", "--match-per");
        names.put("matchEvery", "--match-every");
        names.put("matchTogether", "--match-together");
        names.put("matchPrecision", "--match-precision");
        return names;
    }
}
