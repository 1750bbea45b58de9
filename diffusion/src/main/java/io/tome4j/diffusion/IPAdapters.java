package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.models.clip.ClipImageEncoder;
import io.tome4j.models.unet.IPAdapterModel;
import io.tome4j.models.unet.ImagePrompt;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The IP-Adapters that requests name, and the image encoders that they look through, loaded where one first does, and kept until
 * one names others. Owns them.
 */
final class IPAdapters implements AutoCloseable {
    private static final String BESIDE = "image_encoder";

    private final Stages stages;
    private final KeptModels<IPAdapterModel> adapters = new KeptModels<>(this::load, IPAdapterModel::close);
    private final KeptModels<ClipImageEncoder> encoders = new KeptModels<>(this::loadEncoder, ClipImageEncoder::close);

    /** @param stages whose model they are for */
    IPAdapters(Stages stages) {
        this.stages = stages;
    }

    /** An adapter and the encoder that it looks through. */
    record Opened(IPAdapterModel adapter, ClipImageEncoder encoder) {}

    /**
     * The adapters of a request, in order; those that it does not name are freed if it names any.
     *
     * @throws TomeException if one cannot be had or loaded, is something else, or for another model or encoder
     */
    List<Opened> open(List<IPAdapter> asked) {
        List<String> folders = asked.stream().map(IPAdapters::encoderFolder).toList();
        List<IPAdapterModel> models =
                adapters.open(asked.stream().map(IPAdapter::model).toList());
        List<ClipImageEncoder> looking = encoders.open(folders);
        List<Opened> opened = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            IPAdapterModel model = models.get(i);
            long given = model.seesStates()
                    ? looking.get(i).stateSize()
                    : looking.get(i).embeddingSize();
            if (given != model.seenSize()) {
                throw new TomeException("The IP-Adapter " + asked.get(i).model() + " looks at "
                        + (model.seesStates() ? "states" : "embeddings") + " of " + model.seenSize()
                        + ", and the image encoder " + folders.get(i) + " gives " + given
                        + ": choose the encoder that it was trained with (ViT-H for most, ViT-bigG for some of SDXL).");
            }
            opened.add(new Opened(model, looking.get(i)));
        }
        return opened;
    }

    private static String encoderFolder(IPAdapter asked) {
        if (!asked.encoder().isEmpty()) {
            return asked.encoder();
        }
        Path beside = NetworkFiles.path(asked.model()).resolveSibling(BESIDE);
        if (!Files.isDirectory(beside)) {
            throw new OptionException("{ip_adapter_encoder} is missing: there is no folder "
                    + OptionException.literal(beside.toString()) + " with the image encoder of the IP-Adapter");
        }
        return beside.toString();
    }

    private IPAdapterModel load(String place) {
        UNetConfig unet = stages.denoiser()
                .unetConfig()
                .orElseThrow(() -> new OptionException("{ip_adapter} is for models with a UNet"));
        SafetensorsFile file = NetworkFiles.alone(place)
                .orElseThrow(() -> new OptionException("{ip_adapter} is " + OptionException.literal(place)
                        + ": there is no such file; it is a safetensors file, such as ip-adapter_sd15.safetensors"));
        return IPAdapterModel.of(
                file, unet, stages.placement(), stages.options().attention());
    }

    private ClipImageEncoder loadEncoder(String folder) {
        CheckpointFolder.Component found = CheckpointSource.resolveAlone(
                folder,
                List.of("config.json"),
                new FetchOptions("", ""),
                HubSettings.fromEnvironment(),
                DownloadListener.SILENT);
        return ClipImageEncoder.of(found, stages.placement(), stages.options().attention());
    }

    /** Bytes of the weights of those that are loaded. */
    long weightBytes() {
        return adapters.all().stream().mapToLong(IPAdapterModel::weightBytes).sum()
                + encoders.all().stream()
                        .mapToLong(ClipImageEncoder::weightBytes)
                        .sum();
    }

    /**
     * What the adapters make of the images that a request gives them, in the open scope; without those that do not count.
     *
     * @param opened those of the request, in its order
     * @param prompted rows of the batch that have the prompt
     */
    static List<ImagePrompt> prompts(List<Opened> opened, List<IPAdapter> asked, long prompted) {
        List<ImagePrompt> prompts = new ArrayList<>();
        for (int i = 0; i < opened.size(); i++) {
            if (asked.get(i).scale() != 0) {
                prompts.add(prompt(opened.get(i), asked.get(i), prompted));
            }
        }
        return prompts;
    }

    /** Without the prompt stand tokens of an embedding of zeros, or of the states of an image of zeros: as many. */
    private static ImagePrompt prompt(Opened opened, IPAdapter asked, long prompted) {
        IPAdapterModel adapter = opened.adapter();
        ClipImageEncoder encoder = opened.encoder();
        List<Pixels> images = asked.requireImages();
        try (var scope = TensorScope.open()) {
            Tensor[] with = new Tensor[images.size()];
            Tensor[] without = new Tensor[images.size()];
            for (int i = 0; i < with.length; i++) {
                BufferedImage image = sized(images.get(i).toRgb(), encoder.imageSize());
                Tensor seen = adapter.seesStates() ? encoder.states(image) : encoder.embedding(image);
                with[i] = adapter.tokens(seen);
                without[i] = i > 0
                        ? without[0]
                        : adapter.tokens(adapter.seesStates() ? encoder.statesOfNothing() : torch.zeros_like(seen));
            }
            return new ImagePrompt(
                    adapter,
                    scope.release(Tensors.cat(1, without)),
                    scope.release(Tensors.cat(1, with)),
                    prompted,
                    asked.scale());
        }
    }

    /** The shorter side of the encoder's size, by PIL's filter; its own, which is torchvision's, differs by a level here and there. */
    private static BufferedImage sized(Pixels image, int size) {
        long shorter = Math.min(image.width(), image.height());
        int width = (int) ((long) size * image.width() / shorter);
        int height = (int) ((long) size * image.height() / shorter);
        return Resampling.BICUBIC.resize(image, width, height).toBufferedImage();
    }

    @Override
    public void close() {
        adapters.close();
        encoders.close();
    }
}
