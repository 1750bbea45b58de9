package io.tome4j.cli.evaluate;

import io.tome4j.cli.options.Lists;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
                    "Methods as --method of generate has them, or tomesd, which is exactly what the Python package does;"
                            + " with options of their own after a plus, such as tome+match-every=2+merge-mlp (default: tome).")
    List<String> methods = List.of();

    @Option(
            names = "--measures",
            split = ",",
            paramLabel = "NAME",
            description = "How to tell merged images from the unmerged one: psnr, ssim, ms-ssim (default: psnr,ssim).")
    List<String> measures = List.of();

    @Option(
            names = "--lpips",
            paramLabel = "FILE.pt",
            description = "Measure LPIPS too, with this TorchScript network: torch.jit.trace of lpips.LPIPS.")
    Optional<Path> lpips = Optional.empty();

    @Option(
            names = "--clip-score",
            paramLabel = "FOLDER|ID",
            description = "Measure how well images fit their prompts, by a CLIP model such as"
                    + " openai/clip-vit-base-patch32.")
    Optional<String> clipScore = Optional.empty();

    @Option(
            names = "--features",
            paramLabel = "FILE.pt|FOLDER|ID",
            description =
                    "Measure the Frechet distance between the unmerged and the merged images, by the features of a"
                            + " TorchScript network (pytorch-fid's InceptionV3) or of a CLIP model.")
    Optional<String> features = Optional.empty();

    @Option(
            names = "--maps",
            paramLabel = "N",
            defaultValue = "2",
            description = "Merge maps, which show the tokens that became one, for the first so many prompts (default:"
                    + " ${DEFAULT-VALUE}).")
    int maps = 2;

    /**
     * @param base all options but method and ratio
     * @return each method with each ratio
     * @throws OptionException if a value is out of its range, or two do not go together
     */
    List<Setting> settings(ToMeOptions base) {
        List<Double> allRatios = ratios.isEmpty() ? List.of(0.25, 0.5, 0.75) : ratios;
        List<String> allMethods = methods.isEmpty() ? List.of("tome") : methods;
        Lists.requireOnce("--ratios", allRatios);
        Lists.requireOnce("--methods", allMethods);
        return Setting.all(allMethods, allRatios, base);
    }

    /** @throws OptionException if there is no such measure */
    List<ImageMeasure> imageMeasures() {
        Lists.requireOnce("--measures", measures);
        List<ImageMeasure> known = List.of(ImageMeasure.PSNR, ImageMeasure.SSIM, ImageMeasure.MS_SSIM);
        List<ImageMeasure> chosen = new ArrayList<>();
        for (String name : measures.isEmpty() ? List.of("psnr", "ssim") : measures) {
            chosen.add(known.stream()
                    .filter(measure -> measure.name().equals(name.replace('-', '_')))
                    .findFirst()
                    .orElseThrow(() -> new OptionException("--measures has '" + OptionException.literal(name)
                            + "': it must be one of psnr, ssim, ms-ssim")));
        }
        return chosen;
    }
}
