package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
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
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The ControlNets that requests name, loaded where one first does, and kept until one names others. Owns them.
 */
final class ControlNets implements AutoCloseable {
    private final Stages stages;
    private final Map<String, ControlNetModel> loaded = new LinkedHashMap<>();

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
        List<String> wanted = controls.stream().map(Control::place).toList();
        if (!wanted.isEmpty()) {
            loaded.entrySet().removeIf(entry -> {
                boolean unwanted = !wanted.contains(entry.getKey());
                if (unwanted) {
                    entry.getValue().close();
                }
                return unwanted;
            });
        }
        List<ControlNetModel> nets = new ArrayList<>();
        for (String model : wanted) {
            ControlNetModel net = loaded.get(model);
            if (net == null) {
                net = load(model);
                loaded.put(model, net);
            }
            nets.add(net);
        }
        return nets;
    }

    /** Bytes of the weights of those that are loaded. */
    long weightBytes() {
        return loaded.values().stream().mapToLong(ControlNetModel::weightBytes).sum();
    }

    /** Bytes that what a request's nets give takes beside a pass of the denoiser, about. */
    long residualBytes(List<Control> controls, long rows, TokenGrid latents) {
        return controls.stream()
                .flatMap(control -> Optional.ofNullable(loaded.get(control.place())).stream())
                .mapToLong(net -> net.residualBytes(rows, latents))
                .max()
                .orElse(0);
    }

    private ControlNetModel load(String model) {
        UNetConfig unet = stages.denoiser()
                .unetConfig()
                .orElseThrow(() -> new OptionException("{controlnet} is for models with a UNet"));
        Placement placement = stages.placement();
        Path path = path(model);
        if (Files.isRegularFile(path)) {
            ControlNetFile file = ControlNetFile.of(SafetensorsFile.open(path), unet);
            return ControlNetModel.of(
                    Weights.of(file.tensors(), placement),
                    file.config(),
                    stages.options().attention());
        }
        CheckpointFolder.Component folder = CheckpointSource.resolveNetwork(
                model, new FetchOptions("", ""), HubSettings.fromEnvironment(), DownloadListener.SILENT);
        ControlNetFile.requireKind(folder.weights());
        ControlNetConfig config = ControlNetConfig.of(folder.config());
        ControlNetFile.requireFit(config.encoder(), unet, model);
        return ControlNetModel.of(
                Weights.of(folder.weights(), placement),
                config,
                stages.options().attention());
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TomeException("'" + text + "' is neither a folder, nor a file, nor a model's id on the hub.", e);
        }
    }

    @Override
    public void close() {
        loaded.values().forEach(ControlNetModel::close);
        loaded.clear();
    }
}
