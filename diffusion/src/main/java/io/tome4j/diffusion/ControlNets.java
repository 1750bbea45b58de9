package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.ControlNetConfig;
import io.tome4j.models.unet.ControlNetFile;
import io.tome4j.models.unet.ControlNetModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.List;
import java.util.Optional;

/**
 * The ControlNets that requests name, loaded where one first does, and kept until one names others. Owns them.
 */
final class ControlNets implements AutoCloseable {
    private final Stages stages;
    private final KeptModels<ControlNetModel> kept = new KeptModels<>(this::load, ControlNetModel::close);

    /** @param stages whose models they steer */
    ControlNets(Stages stages) {
        this.stages = stages;
    }

    /**
     * The nets of a request, in order; those that it does not name are freed if it names any.
     *
     * @throws TomeException if one cannot be had or loaded, is of a kind that is not supported, or for another model
     */
    List<ControlNetModel> open(List<Control> controls) {
        return kept.open(controls.stream().map(Control::place).toList());
    }

    /** Bytes of the weights of those that are loaded. */
    long weightBytes() {
        return kept.all().stream().mapToLong(ControlNetModel::weightBytes).sum();
    }

    /** Bytes that what a request's nets give takes beside a pass of the denoiser, about. */
    long residualBytes(List<Control> controls, long rows, TokenGrid latents) {
        return controls.stream()
                .flatMap(control -> kept.find(control.place()).stream())
                .mapToLong(net -> net.residualBytes(rows, latents))
                .max()
                .orElse(0);
    }

    private ControlNetModel load(String model) {
        UNetConfig unet = stages.denoiser()
                .unetConfig()
                .orElseThrow(() -> new OptionException("{controlnet} is for models with a UNet"));
        Placement placement = stages.placement();
        Optional<SafetensorsFile> alone = NetworkFiles.alone(model);
        if (alone.isPresent()) {
            ControlNetFile file = ControlNetFile.of(alone.get(), unet);
            return ControlNetModel.of(
                    Weights.of(file.tensors(), placement),
                    file.config(),
                    stages.options().attention());
        }
        CheckpointFolder.Component folder = NetworkFiles.folder(model);
        ControlNetFile.requireKind(folder.weights());
        ControlNetConfig config = ControlNetConfig.of(folder.config());
        ControlNetFile.requireFit(config.encoder(), unet, model);
        return ControlNetModel.of(
                Weights.of(folder.weights(), placement),
                config,
                stages.options().attention());
    }

    @Override
    public void close() {
        kept.close();
    }
}
