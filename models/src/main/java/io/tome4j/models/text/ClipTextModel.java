package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The text encoder of Stable Diffusion: CLIP's causal transformer (arXiv 2103.00020, section 2.4). Computes the same as
 * {@code transformers.CLIPTextModel} and {@code CLIPTextModelWithProjection}.
 */
public final class ClipTextModel implements AutoCloseable {
    /** What else lies in a file that was saved from all of CLIP, or from its text encoder with the projection. */
    private static final boolean[] SEEN = {}; // every token

    private static final List<String> OTHER_PARTS = List.of("visual_projection.", "vision_model.", "logit_scale");

    private static final String PROJECTION = "text_projection";

    /** In old configs the end marker's id is this, and stands for the largest id there is. */
    private static final int LARGEST_ID = 2;

    private final Weights weights;
    private final ClipTextConfig config;
    private final Tensor tokenEmbedding; // [vocab, C]
    private final Tensor positionEmbedding; // [positions, C]
    private final Tensor causalMask; // [positions, positions]
    private final List<ClipEncoderLayer> layers = new ArrayList<>();
    private final LayerNorm finalLayerNorm;
    private final @Nullable Linear textProjection;

    /**
     * What the model makes of texts.
     *
     * @param hidden a hidden state, {@code [B, N, C]}
     * @param pooled one embedding a text, {@code [B, P]}; empty of a model without projection
     */
    public record Output(Tensor hidden, Optional<Tensor> pooled) {}

    private ClipTextModel(Weights source, ClipTextConfig config, boolean projects, AttentionKernel kernel) {
        this.weights = source;
        this.config = config;
        // Newer versions of transformers leave the prefix out.
        Weights model = source.has("text_model.final_layer_norm.weight") ? source.scope("text_model") : source;
        Weights embeddings = model.scope("embeddings");
        int channels = config.layer().hiddenSize();
        int positions = config.maxPositionEmbeddings();
        this.tokenEmbedding = embeddings.take("token_embedding.weight", config.vocabSize(), channels);
        this.positionEmbedding = embeddings.take("position_embedding.weight", positions, channels);
        embeddings.ignore("position_ids"); // 0, 1, 2, ...
        for (int number = 0; number < config.numHiddenLayers(); number++) {
            layers.add(new ClipEncoderLayer(model.scope("encoder.layers." + number), config.layer(), kernel));
        }
        this.finalLayerNorm = LayerNorm.of(
                model.scope("final_layer_norm"), channels, config.layer().layerNormEps());
        this.textProjection =
                projects ? Linear.withoutBias(source.scope(PROJECTION), channels, config.projectionDim()) : null;
        this.causalMask = source.own(causalMask(positions, source.placement()));
    }

    /**
     * Builds the model that a config describes.
     *
     * @param weights the root view of the tensors; the model takes it over and frees it when it is closed, or here if
     *     this fails
     * @param config {@code text_encoder/config.json}
     * @param kernel how attention is computed
     * @throws io.tome4j.tensor.TomeException if the config has a setting that is not supported, or the tensors do not
     *     fit it
     */
    public static ClipTextModel of(Weights weights, Config config, AttentionKernel kernel) {
        return of(weights, config, false, kernel);
    }

    /**
     * As {@link #of(Weights, Config, AttentionKernel)}, with the projection that gives a text its own embedding: SDXL's
     * second text encoder.
     */
    public static ClipTextModel withProjection(Weights weights, Config config, AttentionKernel kernel) {
        return of(weights, config, true, kernel);
    }

    private static ClipTextModel of(Weights weights, Config config, boolean projects, AttentionKernel kernel) {
        try {
            ClipTextModel model = new ClipTextModel(weights, ClipTextConfig.of(config), projects, kernel);
            if (!projects) {
                weights.ignoreBelow(PROJECTION + ".");
            }
            OTHER_PARTS.forEach(weights::ignoreBelow);
            weights.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /**
     * Builds the model as a part of one that has other parts, too.
     *
     * @param weights a view of the tensors of the whole; they stay with who has it, and so does closing them
     * @param config what the whole's {@code config.json} says of this part
     * @param kernel how attention is computed
     * @throws io.tome4j.tensor.TomeException as for {@link #of}
     */
    public static ClipTextModel part(Weights weights, Config config, AttentionKernel kernel) {
        return new ClipTextModel(weights, ClipTextConfig.of(config), false, kernel);
    }

    private static Tensor causalMask(long positions, Placement placement) {
        try (var scope = TensorScope.open()) {
            Tensor forbidden = torch.full(
                    new long[] {positions, positions}, new Scalar(Double.NEGATIVE_INFINITY), placement.options());
            return scope.retain(torch.triu(forbidden, 1));
        }
    }

    /** Size of a token's embedding. */
    public int hiddenSize() {
        return config.layer().hiddenSize();
    }

    /** Size of a text's own embedding, {@link Output#pooled}; empty without projection. */
    public OptionalInt projectionSize() {
        return textProjection == null ? OptionalInt.empty() : OptionalInt.of(config.projectionDim());
    }

    /** How many layers there are. */
    public int layers() {
        return layers.size();
    }

    /** How many tokens have an embedding: ids are below. */
    public int vocabSize() {
        return config.vocabSize();
    }

    /** The longest sequence of tokens that the model takes. */
    public int maxPositionEmbeddings() {
        return config.maxPositionEmbeddings();
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /**
     * One forward pass.
     *
     * @param ids token ids, {@code [B][N]}: as many in each row, at most {@link #maxPositionEmbeddings()}, each in
     *     [0, {@link #vocabSize()})
     * @throws TomeException if an id is not
     * @return the last hidden state after the final layer norm, {@code [B, N, C]}, in the model's dtype
     */
    public Tensor forward(long[][] ids) {
        return forward(ids, 0, LearnedVectors.NONE);
    }

    /** How many layers there are. */
    public int layerCount() {
        return layers.size();
    }

    /**
     * One forward pass without the last layers, of tokens of which some have embeddings that the model did not bring (textual
     * inversion, arXiv 2208.01618).
     *
     * @param ids as for {@link #forward(long[][])}, or from the first of the learned ones on
     * @param skip how many layers are left out, as diffusers' {@code clip_skip} counts
     * @param learned the embeddings of the learned ones
     * @throws IllegalArgumentException if there are not so many layers
     * @return as {@link #forward(long[][])}
     */
    public Tensor forward(long[][] ids, int skip, LearnedVectors learned) {
        return forward(ids, skip, learned, SEEN);
    }

    /** As {@link #forward(long[][], int, LearnedVectors)}, with tokens as {@link #encode(long[][], int, LearnedVectors, boolean[])}. */
    public Tensor forward(long[][] ids, int skip, LearnedVectors learned, boolean[] unseen) {
        try (var scope = TensorScope.open()) {
            return scope.release(
                    finalLayerNorm.forward(encode(ids, skip, learned, unseen).hidden()));
        }
    }

    /**
     * A hidden state as it is between the layers, and the embedding of each text as a whole.
     *
     * @param ids as for {@link #forward}
     * @param back how many layers before the last one's result: 0 is that, 1 the one before, which SDXL sees
     * @return the hidden state without the final layer norm, and the pooled embedding, which {@code back} does not change
     * @throws IllegalArgumentException if there are not so many layers
     */
    public Output encode(long[][] ids, int back) {
        return encode(ids, back, LearnedVectors.NONE);
    }

    /** As {@link #encode(long[][], int)}, of tokens of which some have embeddings that the model did not bring. */
    public Output encode(long[][] ids, int back, LearnedVectors learned) {
        return encode(ids, back, learned, SEEN);
    }

    /**
     * As {@link #encode(long[][], int, LearnedVectors)}, where no token attends to some.
     *
     * @param unseen for each place whether it is one of those, in all rows; empty if none is. Never the first, which is the only
     *     one that it sees itself
     */
    public Output encode(long[][] ids, int back, LearnedVectors learned, boolean[] unseen) {
        if (back < 0 || back > layers.size()) {
            throw new IllegalArgumentException(
                    "No hidden state " + back + " before the last: there are " + layers.size() + " layers");
        }
        int length = requireUsable(ids, learned);
        try (var scope = TensorScope.open()) {
            long[] flat = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
            Tensor hidden = embeddings(flat, learned)
                    .view(ids.length, length, config.layer().hiddenSize()); // [B, N, C]
            hidden.add_(Tensors.slice(positionEmbedding, 0, 0, length));
            Tensor mask = hiding(Tensors.slice(Tensors.slice(causalMask, 0, 0, length), 1, 0, length), unseen);
            Tensor wanted = hidden;
            for (int number = 0; number < layers.size(); number++) {
                hidden = layers.get(number).forward(hidden, mask);
                wanted = number < layers.size() - back ? hidden : wanted;
            }
            return new Output(
                    scope.release(wanted), pooled(hidden, ids, learned).map(scope::release));
        }
    }

    /** The mask, {@code [N, N]}, with columns of what nobody sees. */
    private static Tensor hiding(Tensor mask, boolean[] unseen) {
        if (unseen.length == 0) {
            return mask;
        }
        float[] columns = new float[unseen.length];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = unseen[i] ? Float.NEGATIVE_INFINITY : 0;
        }
        return mask.add(Tensors.of(columns, columns.length).to(mask.device(), Tensors.dtype(mask)));
    }

    /** {@code [ids, C]}. */
    private Tensor embeddings(long[] ids, LearnedVectors learned) {
        long[] known = Arrays.stream(ids).map(id -> learned.has(id) ? 0 : id).toArray();
        Tensor indices = Tensors.of(known, known.length).to(tokenEmbedding.device(), torch.ScalarType.Long);
        Tensor found = torch.index_select(tokenEmbedding, 0, indices);
        for (int i = 0; i < ids.length; i++) {
            if (learned.has(ids[i])) {
                found.select(0, i).copy_(learned.vector(ids[i]));
            }
        }
        return found;
    }

    /** The last hidden state where each text ends, projected: {@code [B, P]}. */
    private Optional<Tensor> pooled(Tensor last, long[][] ids, LearnedVectors learned) {
        if (textProjection == null) {
            return Optional.empty();
        }
        Tensor normed = finalLayerNorm.forward(last);
        Tensor[] ends = new Tensor[ids.length];
        for (int row = 0; row < ends.length; row++) {
            ends[row] = normed.select(0, row).select(0, end(ids[row], learned)).unsqueeze(0);
        }
        return Optional.of(textProjection.forward(Tensors.cat(0, ends)));
    }

    /** Where a text ends: at the first end marker, or at the beginning where there is none. */
    private int end(long[] ids, LearnedVectors learned) {
        long marker = config.eosTokenId() == LARGEST_ID
                ? Arrays.stream(ids)
                        .filter(id -> learned.mayEnd() || !learned.has(id))
                        .max()
                        .orElse(0)
                : config.eosTokenId();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == marker) {
                return i;
            }
        }
        return 0;
    }

    private int requireUsable(long[][] ids, LearnedVectors learned) {
        int length = ids.length == 0 ? 0 : ids[0].length;
        if (length == 0 || length > config.maxPositionEmbeddings()) {
            throw new IllegalArgumentException("Not 1 to " + config.maxPositionEmbeddings() + " tokens: " + length);
        }
        for (long[] row : ids) {
            if (row.length != length) {
                throw new IllegalArgumentException("Rows of " + length + " and of " + row.length + " tokens");
            }
            for (long id : row) {
                if (id < 0 || (id >= config.vocabSize() && !learned.has(id))) {
                    throw new TomeException("The text has the token " + id
                            + ", and the text encoder knows those from 0 to "
                            + (config.vocabSize() - 1) + ": its 'vocab_size' and the tokenizer's tokens do not fit"
                            + " together.");
                }
            }
        }
        return length;
    }

    @Override
    public void close() {
        weights.close();
    }
}
