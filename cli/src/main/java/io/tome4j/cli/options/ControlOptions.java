package io.tome4j.cli.options;

import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The ControlNets of a command line: each {@code --controlnet} goes with the image, scale and shares of its place. */
public final class ControlOptions {
    private static final Pattern THRESHOLDS = Pattern.compile("(\\d{1,6})\\s*,\\s*(\\d{1,6})");

    @Option(
            names = "--controlnet",
            paramLabel = "MODEL",
            description = "A ControlNet that steers the image: a folder, a safetensors file or an id on the hub. May be"
                    + " repeated.")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--control-image",
            paramLabel = "FILE",
            description = "The image that it goes by, PNG, JPEG or WebP; one for each --controlnet.")
    private List<Path> images = new ArrayList<>();

    @Option(
            names = "--control-canny",
            paramLabel = "LOW,HIGH",
            description =
                    "Go by the edges of the image, found with these thresholds, as 100,200; one for all, or one for"
                            + " each.")
    private List<String> edges = new ArrayList<>();

    @Option(
            names = "--control-scale",
            paramLabel = "SCALE",
            description = "How strongly it steers, usually 1; one for all, or one for each.")
    private List<Double> scales = new ArrayList<>();

    @Option(
            names = "--control-start",
            paramLabel = "SHARE",
            description = "Where it begins, as a share of the steps, usually 0; one for all, or one for each.")
    private List<Double> starts = new ArrayList<>();

    @Option(
            names = "--control-end",
            paramLabel = "SHARE",
            description = "Where it ends, as a share of the steps, usually 1; one for all, or one for each.")
    private List<Double> ends = new ArrayList<>();

    /**
     * A request with them.
     *
     * @throws OptionException if there are not as many images, or a value is out of its range
     * @throws io.tome4j.tensor.TomeException if an image cannot be read
     */
    public Request applyTo(Request request) {
        if (models.size() != images.size()) {
            throw new OptionException("{controlnet} is given " + models.size() + " times, and {control_image} "
                    + images.size() + " times: each ControlNet goes by an image of its own");
        }
        if (models.isEmpty() && !(scales.isEmpty() && starts.isEmpty() && ends.isEmpty() && edges.isEmpty())) {
            throw new OptionException(
                    "{control_scale}, {control_start}, {control_end} and {control_canny} have no effect"
                            + " without {controlnet}");
        }
        if (models.isEmpty()) {
            return request;
        }
        OnePerPlace each = new OnePerPlace(models.size(), "ControlNets");
        List<Control> controls = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            Control control = Control.of(models.get(i), images.get(i))
                    .scale(each.of(scales, i, 1.0, "control_scale"))
                    .between(each.of(starts, i, 0.0, "control_start"), each.of(ends, i, 1.0, "control_end"));
            String thresholds = each.of(edges, i, "", "control_canny");
            controls.add(thresholds.isEmpty() ? control : control.canny(canny(thresholds)));
        }
        return request.controls(controls);
    }

    private static Canny canny(String thresholds) {
        Matcher matcher = THRESHOLDS.matcher(thresholds.strip());
        if (!matcher.matches()) {
            throw new OptionException("{control_canny} is '" + OptionException.literal(thresholds)
                    + "': it must be two thresholds, the lower first, such as 100,200");
        }
        return new Canny(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }
}
