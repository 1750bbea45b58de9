package io.tome4j.models.unet;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.Weights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * An IP-Adapter (arXiv 2308.06721): tokens made of an image, and for each cross-attention of a UNet the layers that make keys
 * and values of them. Computes the same as {@code diffusers} with {@code load_ip_adapter}.
 */
public final class IPAdapterModel implements AutoCloseable {
    private final Weights weights;
    private final IPAdapterFile file;
    private final ImageProjection projection;
    private final Map<String, Linear> toPairs = new HashMap<>(); // by the transformer block's name

    private IPAdapterModel(Weights weights, IPAdapterFile file, UNetConfig unet, AttentionKernel kernel) {
        this.weights = weights;
        this.file = file;
        this.projection = file.projection(weights.scope("image_proj"), kernel);
        UNetLayout layout = unet.layout();
        // In the order in which the reference's modules are registered: the middle comes last.
        layout.down().forEach(block -> takePairs(block, unet.crossAttentionDim()));
        layout.up().forEach(block -> takePairs(block, unet.crossAttentionDim()));
        takePairs(layout.mid(), unet.crossAttentionDim());
    }

    /**
     * Reads a file.
     *
     * @param unet what the UNet was built from that it is for
     * @throws io.tome4j.tensor.TomeException if it is no IP-Adapter, of a kind that is not supported, or for another model
     */
    public static IPAdapterModel of(
            StoredTensors stored, UNetConfig unet, Placement placement, AttentionKernel kernel) {
        IPAdapterFile file = IPAdapterFile.of(stored, unet);
        Weights weights = Weights.of(stored, placement);
        try {
            IPAdapterModel model = new IPAdapterModel(weights, file, unet, kernel);
            weights.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private void takePairs(UNetLayout.Block block, int textSize) {
        for (int stage = 0; stage < block.stages().size(); stage++) {
            for (int i = 0; i < block.stages().get(stage).transformers(); i++) {
                int number = 2 * toPairs.size() + 1;
                toPairs.put(
                        block.name() + ".attentions." + stage + ".transformer_blocks." + i,
                        Linear.joined(
                                weights.scope("ip_adapter." + number),
                                List.of("to_k_ip.weight", "to_v_ip.weight"),
                                textSize,
                                block.stages().get(stage).out()));
            }
        }
    }

    /** Whether it looks at an image encoder's states, and not at an image's embedding alone. */
    public boolean seesStates() {
        return file.seesStates();
    }

    /** Size of the embeddings, or of the states, that it looks at. */
    public int seenSize() {
        return file.seenSize();
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /**
     * The tokens of an image.
     *
     * @param image an image's embedding, {@code [B, E]}, or states, {@code [B, N, E]}
     * @return {@code [B, M, D]}, in the open scope
     */
    public Tensor tokens(Tensor image) {
        return projection.forward(image);
    }

    /**
     * Keys and values of tokens for a transformer block.
     *
     * @param tokens {@code [B, M, D]}
     * @return {@code [B, M, 2C]}
     */
    Tensor pairs(String block, Tensor tokens) {
        Linear layer = toPairs.get(block);
        if (layer == null) {
            throw new IllegalArgumentException(
                    "This IP-Adapter was loaded for another model: it has nothing for " + block);
        }
        return layer.forward(tokens);
    }

    @Override
    public void close() {
        weights.close();
    }
}
