package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.models.unet.T2IAdapterConfig;
import io.tome4j.models.unet.T2IAdapterFile;
import io.tome4j.models.unet.T2IAdapterModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** The T2I-Adapters that requests name, loaded where one first does, and kept until one names others. Owns them. */
final class T2IAdapters implements AutoCloseable {
    private final Stages stages;
    private final KeptModels<T2IAdapterModel> kept = new KeptModels<>(this::load, T2IAdapterModel::close);

    /** @param stages whose model they steer */
    T2IAdapters(Stages stages) {
        this.stages = stages;
    }

    /**
     * The adapters of a request, in order; those that it does not name are freed if it names any.
     *
     * @throws TomeException if one cannot be had or loaded, is something else, or for another model
     */
    List<T2IAdapterModel> open(List<T2IAdapter> adapters) {
        return kept.open(adapters.stream().map(T2IAdapter::model).toList());
    }

    /** Bytes of the weights of those that are loaded. */
    long weightBytes() {
        return kept.all().stream().mapToLong(T2IAdapterModel::weightBytes).sum();
    }

    /** Bytes of what a request's adapters give, which is there while the denoiser runs, about. */
    long featureBytes(List<T2IAdapter> adapters, int width, int height) {
        return adapters.stream()
                .flatMap(adapter -> kept.find(adapter.model()).stream())
                .mapToLong(model -> model.featureBytes(width, height))
                .sum();
    }

    private T2IAdapterModel load(String place) {
        UNetConfig unet = stages.denoiser()
                .unetConfig()
                .orElseThrow(() -> new OptionException("{t2i_adapter} is for models with a UNet"));
        Placement placement = stages.placement();
        Optional<SafetensorsFile> alone = NetworkFiles.alone(place);
        if (alone.isPresent()) {
            T2IAdapterFile file = T2IAdapterFile.of(alone.get());
            file.config().requireFit(unet, place);
            return T2IAdapterModel.of(Weights.of(file.tensors(), placement), file.config());
        }
        CheckpointFolder.Component folder = NetworkFiles.folder(place);
        T2IAdapterFile.requireKind(folder.weights());
        T2IAdapterConfig config = T2IAdapterConfig.of(folder.config());
        config.requireFit(unet, place);
        return T2IAdapterModel.of(Weights.of(folder.weights(), placement), config);
    }

    /**
     * What adapters make of the images that a request gives them, times their scales; in the open scope.
     *
     * @param models those of the request, in its order
     * @param steps of the denoiser, of which an adapter may want the first alone
     */
    static AdapterFeatures features(List<T2IAdapterModel> models, Request request, AdapterFeatures.Steps steps) {
        List<AdapterFeatures.Part> parts = new ArrayList<>();
        try (var scope = TensorScope.open()) {
            for (int i = 0; i < models.size(); i++) {
                T2IAdapter asked = request.t2iAdapters().get(i);
                T2IAdapterConfig config = models.get(i).config();
                Tensor image = ControlImages.tensor(
                        withChannels(asked, config.inChannels()), request.width(), request.height());
                List<Tensor> scaled = models.get(i).forward(image).stream()
                        .map(feature -> scope.release(feature.mul(new Scalar(asked.scale()))))
                        .toList();
                parts.add(new AdapterFeatures.Part(scaled, steps.calls(asked.factor())));
            }
            return new AdapterFeatures(parts);
        }
    }

    /** @throws OptionException if the size in pixels is not one that an adapter can divide, or an image has other channels */
    static void requireFit(List<T2IAdapterModel> models, Request request) {
        for (int i = 0; i < models.size(); i++) {
            T2IAdapterConfig config = models.get(i).config();
            withChannels(request.t2iAdapters().get(i), config.inChannels());
            if (request.width() % config.downscale() != 0 || request.height() % config.downscale() != 0) {
                throw new OptionException("{width} and {height} are " + request.width() + " and " + request.height()
                        + ": with this T2I-Adapter they must be multiples of " + config.downscale());
            }
        }
    }

    /** The image in as many channels as an adapter sees: a grey map has one, in whatever way it was saved. */
    private static Pixels withChannels(T2IAdapter asked, int channels) {
        Pixels image = asked.requireImage();
        if (channels == 1 && !image.isGrey()) {
            throw new OptionException("{t2i_image} has colours, and the T2I-Adapter '"
                    + OptionException.literal(asked.model()) + "' sees a map of one channel: give a grey image");
        }
        return channels == 1 ? image.toGrey() : image.toRgb();
    }

    @Override
    public void close() {
        kept.close();
    }
}
