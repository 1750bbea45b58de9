package io.tome4j.cli.options;

import io.tome4j.diffusion.IPAdapter;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * The IP-Adapters of a command line: each {@code --ip-adapter} goes with the image, scale and encoder of its place; one alone
 * takes all images.
 */
public final class IPAdapterOptions {
    @Option(
            names = "--ip-adapter",
            paramLabel = "FILE",
            description =
                    "An IP-Adapter, for which images are prompts beside the text: a safetensors file. May be repeated.")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--ip-adapter-image",
            paramLabel = "FILE",
            description = "The image it goes by, PNG, JPEG or WebP; one for each --ip-adapter, or several for one.")
    private List<Path> images = new ArrayList<>();

    @Option(
            names = "--ip-adapter-scale",
            paramLabel = "SCALE",
            description = "How strongly the image counts, usually 1, as the text; one for all, or one for each.")
    private List<Double> scales = new ArrayList<>();

    @Option(
            names = "--ip-adapter-encoder",
            paramLabel = "FOLDER",
            description = "The image encoder it looks through: a folder or an id on the hub; otherwise the folder"
                    + " image_encoder beside its file. One for all, or one for each.")
    private List<String> encoders = new ArrayList<>();

    /**
     * A request with them.
     *
     * @throws OptionException if there are not as many images, or a value is out of its range
     * @throws io.tome4j.tensor.TomeException if an image cannot be read
     */
    public Request applyTo(Request request) {
        if (models.isEmpty()) {
            if (!images.isEmpty() || !scales.isEmpty() || !encoders.isEmpty()) {
                throw new OptionException(
                        "{ip_adapter_image}, {ip_adapter_scale} and {ip_adapter_encoder} have no effect"
                                + " without {ip_adapter}");
            }
            return request;
        }
        if (images.isEmpty() || (models.size() > 1 && models.size() != images.size())) {
            throw new OptionException("{ip_adapter} is given " + models.size() + " times, and {ip_adapter_image} "
                    + images.size() + " times: each IP-Adapter goes by an image of its own, and one alone by all");
        }
        OnePerPlace each = new OnePerPlace(models.size(), "IP-Adapters");
        List<IPAdapter> adapters = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            Path[] seen = models.size() == 1 ? images.toArray(Path[]::new) : new Path[] {images.get(i)};
            adapters.add(IPAdapter.of(models.get(i), seen)
                    .scale(each.of(scales, i, 1.0, "ip_adapter_scale"))
                    .encoder(each.of(encoders, i, "", "ip_adapter_encoder")));
        }
        return request.ipAdapters(adapters);
    }
}
