package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** What a UNet was trained to predict, which files tell in passing, or not at all. */
final class Prediction {
    private static final String VELOCITY = "v_prediction";
    private static final String METADATA = "modelspec.prediction_type";

    /** Training steps of the first model of Stable Diffusion 2, which predicts noise, as its file has them. */
    private static final double STEPS_OF_SD2_BASE = 875_000;

    /** In models of Stable Diffusion 2 that predict velocity this bias spreads more; it is how ComfyUI tells them. */
    private static final List<String> TELLING = List.of(
            "output_blocks.11.1.transformer_blocks.0.norm1.bias",
            "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias");

    private static final double MOST_SPREAD_OF_NOISE = 0.09;

    private Prediction() {}

    /** What a mark of the trainer's, or the metadata, says. */
    static Optional<String> marked(SafetensorsFile file, StoredTensors tensors) {
        if (tensors.has("v_pred")) {
            return Optional.of(VELOCITY);
        }
        return switch (file.metadata().getOrDefault(METADATA, "")) {
            case "v", VELOCITY -> Optional.of(VELOCITY);
            case "epsilon" -> Optional.of("epsilon");
            default -> Optional.empty();
        };
    }

    /** Whether a model of Stable Diffusion 2 predicts velocity, as most do; those for inpainting do not. */
    static boolean isVelocityOfSd2(SafetensorsFile file, StoredTensors tensors, UNetStructure unet) {
        return marked(file, tensors)
                .map(VELOCITY::equals)
                .orElseGet(() -> unet.inChannels() == 4 && spreadsAsVelocity(tensors));
    }

    /** Whether noise is to be all there is at the last training step, as some trainers mark. */
    static boolean hasZeroTerminalSnr(StoredTensors tensors) {
        return tensors.has("ztsnr");
    }

    /** Whether it was trained with noise levels of its own (EDM). */
    static boolean isEdm(StoredTensors tensors) {
        return tensors.has("edm_mean") || tensors.has("edm_std") || tensors.has("edm_vpred.sigma_max");
    }

    private static boolean spreadsAsVelocity(StoredTensors tensors) {
        try (var scope = TensorScope.open()) {
            if (tensors.has("global_step") && value(tensors.load("global_step")) == STEPS_OF_SD2_BASE) {
                return false;
            }
            for (String name : tensors.names()) {
                if (TELLING.stream().anyMatch(name::endsWith)) {
                    return tensors.load(name).to(ScalarType.Float).std().item_double() > MOST_SPREAD_OF_NOISE;
                }
            }
            return true; // as most models of Stable Diffusion 2
        }
    }

    private static double value(Tensor scalar) {
        return Tensors.floats(scalar.to(ScalarType.Float).reshape(1))[0];
    }
}
