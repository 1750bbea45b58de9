package io.tome4j.models.clip;

import io.tome4j.checkpoint.Config;
import io.tome4j.models.text.ClipEncoderLayer;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * CLIP's encoder of images, a vision transformer (arXiv 2103.00020, section 2.4; 2010.11929). Computes the same as
 * {@code transformers.CLIPVisionModel}.
 */
final class ClipVisionModel {
    private final int imageSize;
    private final int patchSize;
    private final int channels;
    private final Tensor classEmbedding; // [C]
    private final Tensor patchEmbedding; // [C, 3, patch, patch]
    private final Tensor positionEmbedding; // [1 + patches, C]
    private final LayerNorm preLayerNorm;
    private final List<ClipEncoderLayer> layers = new ArrayList<>();
    private final LayerNorm postLayerNorm;

    /** Takes what lies below {@code weights}, which is the view of {@code vision_model}. */
    ClipVisionModel(Weights weights, Config config, AttentionKernel kernel) {
        config.only("model_type", "clip_vision_model");
        config.only("num_channels", 3);
        ClipEncoderLayer.Shape shape = ClipEncoderLayer.Shape.of(config);
        this.imageSize = config.integer("image_size", 224);
        this.patchSize = config.integer("patch_size", 32);
        this.channels = shape.hiddenSize();
        int layerCount = config.integer("num_hidden_layers");
        if (layerCount < 1) {
            throw config.unsupported("num_hidden_layers", "at least 1");
        }
        if (patchSize < 1 || imageSize < 1 || imageSize % patchSize != 0) {
            throw config.unsupported("patch_size", "a divisor of image_size, " + imageSize);
        }
        config.requireAllRead();
        int patches = (imageSize / patchSize) * (imageSize / patchSize);
        Weights embeddings = weights.scope("embeddings");
        this.classEmbedding = embeddings.take("class_embedding", channels);
        this.patchEmbedding = embeddings.take("patch_embedding.weight", channels, 3, patchSize, patchSize);
        this.positionEmbedding = embeddings.take("position_embedding.weight", 1L + patches, channels);
        embeddings.ignore("position_ids"); // 0, 1, 2, ...
        this.preLayerNorm =
                LayerNorm.of(weights.scope("pre_layrnorm"), channels, shape.layerNormEps()); // their spelling
        for (int number = 0; number < layerCount; number++) {
            layers.add(new ClipEncoderLayer(weights.scope("encoder.layers." + number), shape, kernel));
        }
        this.postLayerNorm = LayerNorm.of(weights.scope("post_layernorm"), channels, shape.layerNormEps());
    }

    /** Pixels on a side of the images it takes. */
    int imageSize() {
        return imageSize;
    }

    int hiddenSize() {
        return channels;
    }

    /**
     * @param pixels {@code [B, 3, imageSize, imageSize]}, normalised, in the weights' placement
     * @return the class token's last state, normalised, {@code [B, C]}
     */
    Tensor forward(Tensor pixels) {
        try (var scope = TensorScope.open()) {
            return scope.release(
                    postLayerNorm.forward(states(pixels, layers.size()).select(1, 0)));
        }
    }

    /**
     * The states before the last layer, {@code hidden_states[-2]}.
     *
     * @param pixels as for {@link #forward}
     * @return {@code [B, 1 + patches, C]}
     */
    Tensor statesBeforeLast(Tensor pixels) {
        return states(pixels, layers.size() - 1);
    }

    /** The states after some layers, {@code [B, 1 + patches, C]}. */
    private Tensor states(Tensor pixels, int count) {
        try (var scope = TensorScope.open()) {
            long batch = pixels.size(0);
            long[] one = {1, 1};
            Tensor patches = torch.conv2d(
                            pixels,
                            patchEmbedding,
                            new TensorOptional(),
                            new long[] {patchSize, patchSize},
                            new long[] {0, 0},
                            one,
                            1)
                    .flatten(2, -1)
                    .transpose(1, 2); // [B, patches, C]
            Tensor first = classEmbedding.expand(batch, 1, channels);
            Tensor hidden = preLayerNorm.forward(Tensors.cat(1, first, patches).add(positionEmbedding));
            for (ClipEncoderLayer layer : layers.subList(0, count)) {
                hidden = layer.forward(hidden);
            }
            return scope.release(hidden);
        }
    }
}
