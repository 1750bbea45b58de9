package io.tome4j.cli.options;

import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The ControlNets of a command line: each {@code --controlnet} goes with the image, scale and shares of its place. */
public final class ControlOptions {
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
        if (models.isEmpty() && !(scales.isEmpty() && starts.isEmpty() && ends.isEmpty())) {
            throw new OptionException(
                    "{control_scale}, {control_start} and {control_end} have no effect without" + " {controlnet}");
        }
        List<Control> controls = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            controls.add(Control.of(models.get(i), images.get(i))
                    .scale(of(scales, i, 1, "control_scale"))
                    .between(of(starts, i, 0, "control_start"), of(ends, i, 1, "control_end")));
        }
        return request.controls(controls);
    }

    private double of(List<Double> values, int place, double usual, String option) {
        if (values.size() > 1 && values.size() != models.size()) {
            throw new OptionException("{" + option + "} is given " + values.size() + " times for " + models.size()
                    + " ControlNets: give one for all, or one for each");
        }
        return values.isEmpty() ? usual : values.get(values.size() == 1 ? 0 : place);
    }
}
