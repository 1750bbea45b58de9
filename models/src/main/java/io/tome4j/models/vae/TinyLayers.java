package io.tome4j.models.vae;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** One direction of an {@link AutoencoderTiny}: layers one after the other, of which those without weights count, too. */
final class TinyLayers {
    private final Weights weights;
    private final TinyConfig config;
    private final List<UnaryOperator<Tensor>> layers = new ArrayList<>();

    private TinyLayers(Weights weights, TinyConfig config) {
        this.weights = weights;
        this.config = config;
    }

    /** From an image's colours in [0, 1] to latents. */
    static TinyLayers encoder(Weights weights, TinyConfig config) {
        TinyLayers layers = new TinyLayers(weights, config);
        for (int level = 0; level < config.encoderBlocks().size(); level++) {
            if (level == 0) {
                layers.convolution(config.inChannels(), config.width());
            } else {
                layers.add(Conv2d.withoutBias3x3(layers.next(), config.width(), config.width(), 2)::forward);
            }
            layers.blocks(config.encoderBlocks().get(level));
        }
        layers.convolution(config.width(), config.latentChannels());
        return layers;
    }

    /** From bounded latents to an image's colours in [0, 1]. */
    static TinyLayers decoder(Weights weights, TinyConfig config) {
        TinyLayers layers = new TinyLayers(weights, config);
        layers.convolution(config.latentChannels(), config.width());
        layers.add(torch::relu);
        int last = config.decoderBlocks().size() - 1;
        for (int level = 0; level <= last; level++) {
            layers.blocks(config.decoderBlocks().get(level));
            if (level < last) {
                layers.add(x -> torch.upsample_nearest2d(x, 2 * x.size(2), 2 * x.size(3)));
                layers.add(Conv2d.withoutBias3x3(layers.next(), config.width(), config.width(), 1)::forward);
            }
        }
        layers.convolution(config.width(), config.outChannels());
        return layers;
    }

    /**
     * @param x {@code [B, C, H, W]} in the model's placement
     * @return what the last layer gives
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = layers.get(0).apply(x);
            for (UnaryOperator<Tensor> layer : layers.subList(1, layers.size())) {
                hidden = Freeing.replace(hidden, layer.apply(hidden));
            }
            return scope.release(hidden);
        }
    }

    private Weights next() {
        return weights.scope(String.valueOf(layers.size()));
    }

    private void add(UnaryOperator<Tensor> layer) {
        layers.add(layer);
    }

    private void convolution(long in, long out) {
        add(Conv2d.of3x3(next(), in, out)::forward);
    }

    private void blocks(int count) {
        for (int i = 0; i < count; i++) {
            add(new Block(next(), config.width())::forward);
        }
    }

    /** Three convolutions around which the input is carried. */
    private static final class Block {
        private final Conv2d first;
        private final Conv2d second;
        private final Conv2d third;

        Block(Weights weights, long width) {
            this.first = Conv2d.of3x3(weights.scope("conv.0"), width, width);
            this.second = Conv2d.of3x3(weights.scope("conv.2"), width, width);
            this.third = Conv2d.of3x3(weights.scope("conv.4"), width, width);
        }

        Tensor forward(Tensor x) {
            try (var scope = TensorScope.open()) {
                Tensor hidden = torch.relu_(first.forward(x));
                hidden = torch.relu_(second.forward(hidden));
                return scope.release(torch.relu_(third.forward(hidden).add_(x)));
            }
        }
    }
}
