package io.tome4j.cli;

import io.tome4j.evaluation.measures.PictureMeasure;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.merging.ToMeOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Which settings of merging to evaluate, and by what. */
final class GridOptions {
    @Option(
            names = "--ratios",
            split = ",",
            paramLabel = "SHARE",
            description = "Shares of tokens to merge away, each above 0 and up to 1 (default: 0.25,0.5,0.75).")
    List<Double> ratios = List.of();

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "NAME",
            description =
                    "tome, todo, query, or tomesd, which is exactly what the Python package does; with options of their"
                            + " own after a plus, such as tome+match-every=2+merge-mlp (default: tome).")
    List<String> methods = List.of();

    @Option(
            names = "--measures",
            split = ",",
            paramLabel = "NAME",
            description = "How to tell merged images from the unmerged one: psnr (default: psnr).")
    List<String> measures = List.of();

    @Option(names = "--maps", paramLabel = "N", description = "Merge maps for the first so many prompts (default: 2).")
    Integer maps = 2;

    /**
     * @param base all options but method and ratio
     * @return each method with each ratio
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    List<Setting> settings(ToMeOptions base) {
        List<Double> allRatios = ratios.isEmpty() ? List.of(0.25, 0.5, 0.75) : ratios;
        List<String> allMethods = methods.isEmpty() ? List.of("tome") : methods;
        CompareOptions.requireOnce("--ratios", allRatios);
        CompareOptions.requireOnce("--methods", allMethods);
        List<Setting> settings = new ArrayList<>();
        for (String method : allMethods) {
            allRatios.forEach(ratio -> settings.add(Setting.of(method, ratio, base)));
        }
        return settings;
    }

    /** @throws IllegalArgumentException if there is no such measure */
    List<PictureMeasure> measures() {
        CompareOptions.requireOnce("--measures", measures);
        for (String name : measures) {
            if (!name.equals(PictureMeasure.PSNR.name())) {
                throw new IllegalArgumentException(
                        "--measures has '" + name + "': there is " + PictureMeasure.PSNR.name());
            }
        }
        return List.of(PictureMeasure.PSNR, PictureMeasure.SSIM);
    }
}
