package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.T2IAdapter;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The T2I-Adapters of a command line: each {@code --t2i-adapter} goes with the image and the numbers of its place. */
public final class T2IAdapterOptions {
    @Option(
            names = "--t2i-adapter",
            paramLabel = "MODEL",
            description =
                    "A T2I-Adapter that steers the image: a folder, a safetensors file or an id on the hub. May be"
                            + " repeated.")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--t2i-image",
            paramLabel = "FILE",
            description = "The image that it goes by, PNG, JPEG or WebP; one for each --t2i-adapter.")
    private List<Path> images = new ArrayList<>();

    @Option(
            names = "--t2i-scale",
            paramLabel = "SCALE",
            description = "How strongly it steers, usually 1; one for all, or one for each.")
    private List<Double> scales = new ArrayList<>();

    @Option(
            names = "--t2i-factor",
            paramLabel = "SHARE",
            description = "In which share of the steps, from the first, usually 1; one for all, or one for each.")
    private List<Double> factors = new ArrayList<>();

    /**
     * A request with them.
     *
     * @throws OptionException if there are not as many images, or a value is out of its range
     * @throws io.tome4j.tensor.TomeException if an image cannot be read
     */
    public Request applyTo(Request request) {
        if (models.size() != images.size()) {
            throw new OptionException("{t2i_adapter} is given " + models.size() + " times, and {t2i_image} "
                    + images.size() + " times: each T2I-Adapter goes by an image of its own");
        }
        if (models.isEmpty()) {
            if (!scales.isEmpty() || !factors.isEmpty()) {
                throw new OptionException("{t2i_scale} and {t2i_factor} have no effect without {t2i_adapter}");
            }
            return request;
        }
        OnePerPlace each = new OnePerPlace(models.size(), "T2I-Adapters");
        List<T2IAdapter> adapters = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            adapters.add(T2IAdapter.of(models.get(i), images.get(i))
                    .scale(each.of(scales, i, 1.0, "t2i_scale"))
                    .factor(each.of(factors, i, 1.0, "t2i_factor")));
        }
        return request.t2iAdapters(adapters);
    }
}
