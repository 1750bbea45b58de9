package io.tome4j.models.unet;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Takes a control image to the size and the channels of a UNet's first features, {@code ControlNetConditioningEmbedding}. */
final class ConditioningEmbedding {
    private final List<Conv2d> convolutions = new ArrayList<>();
    private final Conv2d convOut;

    ConditioningEmbedding(Weights weights, ControlNetConfig config) {
        List<Integer> channels = config.embeddingChannels();
        convolutions.add(Conv2d.of3x3(weights.scope("conv_in"), config.conditioningChannels(), channels.get(0)));
        for (int i = 0; i + 1 < channels.size(); i++) {
            int in = channels.get(i);
            convolutions.add(Conv2d.of3x3(weights.scope("blocks." + 2 * i), in, in));
            convolutions.add(Conv2d.of(weights.scope("blocks." + (2 * i + 1)), in, channels.get(i + 1), 3, 2, 1));
        }
        this.convOut = Conv2d.of3x3(
                weights.scope("conv_out"),
                channels.get(channels.size() - 1),
                config.encoder().blockOutChannels().get(0));
    }

    /**
     * @param image {@code [B, 3, H, W]} in the model's placement
     * @return {@code [B, C, H/8, W/8]}
     */
    Tensor forward(Tensor image) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = image;
            for (Conv2d convolution : convolutions) {
                hidden = torch.silu_(convolution.forward(hidden));
            }
            return scope.release(convOut.forward(hidden));
        }
    }
}
