package io.tome4j.models.clip;

import io.tome4j.checkpoint.CheckpointFolder.Component;
import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.awt.image.BufferedImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * CLIP's encoder of images alone, as IP-Adapters look through it. Computes the same as
 * {@code transformers.CLIPVisionModelWithProjection}, of images made ready as {@code CLIPImageProcessor} does.
 */
public final class ClipImageEncoder implements AutoCloseable {
    private final Weights weights;
    private final ClipImageProcessor processor;
    private final ClipVisionModel vision;
    private final Linear visualProjection;

    private ClipImageEncoder(Config config, Weights weights, AttentionKernel kernel) {
        this.weights = weights;
        config.only("architectures", List.of("CLIPVisionModelWithProjection"));
        int projection = config.integer("projection_dim", 512);
        this.vision = new ClipVisionModel(weights.scope("vision_model"), config, kernel);
        this.visualProjection = Linear.withoutBias(weights.scope("visual_projection"), vision.hiddenSize(), projection);
        this.processor = new ClipImageProcessor(vision.imageSize());
        weights.requireAllTaken();
    }

    /**
     * Loads the encoder of a folder.
     *
     * @throws io.tome4j.tensor.TomeException if a file is missing or is not what it should be
     */
    public static ClipImageEncoder of(Component folder, Placement placement, AttentionKernel kernel) {
        Weights weights = Weights.of(folder.weights(), placement);
        try {
            return new ClipImageEncoder(folder.config(), weights, kernel);
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /** Pixels on a side of the square that it sees. */
    public int imageSize() {
        return vision.imageSize();
    }

    /** Size of an image's embedding. */
    public long embeddingSize() {
        return visualProjection.out();
    }

    /** Size of a state. */
    public int stateSize() {
        return vision.hiddenSize();
    }

    /**
     * The embedding of an image.
     *
     * @param image of any size: its middle square is looked at
     * @return {@code [1, D]}, not normalised, in the encoder's dtype, in the open scope
     */
    public Tensor embedding(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            return scope.release(visualProjection.forward(vision.forward(pixels(image))));
        }
    }

    /**
     * The states before the last layer: {@code hidden_states[-2]}.
     *
     * @return {@code [1, N, C]}, the first that of the class token, in the open scope
     */
    public Tensor states(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            return scope.release(vision.statesBeforeLast(pixels(image)));
        }
    }

    /** As {@link #states}, where all that the encoder sees is 0. */
    public Tensor statesOfNothing() {
        try (var scope = TensorScope.open()) {
            Tensor zeros = torch.zeros(new long[] {1, 3, vision.imageSize(), vision.imageSize()});
            return scope.release(vision.statesBeforeLast(weights.placement().place(zeros)));
        }
    }

    private Tensor pixels(BufferedImage image) {
        return weights.placement().place(processor.process(image));
    }

    @Override
    public void close() {
        weights.close();
    }
}
