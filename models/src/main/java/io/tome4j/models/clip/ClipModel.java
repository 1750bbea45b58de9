package io.tome4j.models.clip;

import io.tome4j.checkpoint.CheckpointFolder.Component;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.awt.image.BufferedImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * CLIP (arXiv 2103.00020): brings images and texts into one space, where what belongs together lies in one direction.
 * Computes the same as {@code transformers.CLIPModel}, from the same files.
 */
public final class ClipModel implements AutoCloseable {
    private static final List<String> CONFIGS = List.of("config.json", "preprocessor_config.json");

    private static final int LEGACY_END = 2; // written by mistake in configs of OpenAI's checkpoints

    private final Weights weights;
    private final ClipTokenizer tokenizer;
    private final ClipImageProcessor processor;
    private final ClipTextModel text;
    private final ClipVisionModel vision;
    private final Linear textProjection;
    private final Linear visualProjection;
    private final int endToken;

    private ClipModel(Component folder, Weights weights, ClipTokenizer tokenizer, AttentionKernel kernel) {
        this.weights = weights;
        this.tokenizer = tokenizer;
        Config config = folder.config();
        config.only("model_type", "clip");
        config.only("architectures", List.of("CLIPModel"));
        int projection = config.integer("projection_dim", 512);
        // The two ..._config_dict repeat what the configs say; transformers wrote them for a while.
        config.ignore("text_config_dict", "vision_config_dict", "logit_scale_init_value", "initializer_factor");
        config.ignore("dtype", "torch_dtype", "transformers_version", "tie_word_embeddings");
        Config textConfig = config.object("text_config");
        Config visionConfig = config.object("vision_config");
        config.requireAllRead();
        this.processor = new ClipImageProcessor(Config.read(folder.file("preprocessor_config.json")));
        this.endToken = textConfig.integer("eos_token_id", LEGACY_END);
        this.text = ClipTextModel.part(weights, textConfig, kernel);
        this.vision = new ClipVisionModel(weights.scope("vision_model"), visionConfig, kernel);
        this.textProjection = Linear.withoutBias(weights.scope("text_projection"), text.hiddenSize(), projection);
        this.visualProjection = Linear.withoutBias(weights.scope("visual_projection"), vision.hiddenSize(), projection);
        weights.ignore("logit_scale"); // scales the similarities of a batch in training
        weights.requireAllTaken();
        requireToFit(folder);
    }

    private void requireToFit(Component folder) {
        if (processor.height() != vision.imageSize() || processor.width() != vision.imageSize()) {
            throw new TomeException("The parts of " + folder.path() + " do not fit together: images are brought to "
                    + processor.width() + " x " + processor.height() + " pixels, and the encoder takes "
                    + vision.imageSize() + " x " + vision.imageSize() + ".");
        }
        if (tokenizer.maxLength() > text.maxPositionEmbeddings()) {
            throw new TomeException("The parts of " + folder.path() + " do not fit together: the tokenizer gives "
                    + tokenizer.maxLength() + " tokens, and the text encoder takes " + text.maxPositionEmbeddings()
                    + ".");
        }
    }

    /**
     * Finds a model and loads it in fp32 on the CPU, so that what it says does not depend on the machine.
     *
     * @param idOrPath a folder, or a model's id on the hub such as {@code openai/clip-vit-base-patch16}; one from the hub
     *     is downloaded into the cache, if it is not there
     * @throws TomeException if there is no such model, it cannot be downloaded, or it is not what it should be
     */
    public static ClipModel fromPretrained(String idOrPath, DownloadListener listener) {
        Component folder = CheckpointSource.resolveAlone(
                idOrPath, CONFIGS, FetchOptions.DEFAULT, HubSettings.fromEnvironment(), listener);
        return of(folder, Placement.CPU_FP32);
    }

    /**
     * Loads the model of a folder as {@code CLIPModel.save_pretrained} and {@code CLIPProcessor.save_pretrained} write
     * it and {@code openai/clip-vit-base-patch32} has it on the hub.
     *
     * @throws TomeException if a file is missing or is not what it should be
     */
    public static ClipModel of(Component folder, Placement placement) {
        CONFIGS.forEach(folder::file);
        Weights weights = Weights.of(folder.weights(), placement);
        ClipTokenizer tokenizer = ClipTokenizer.of(folder.path());
        try {
            return new ClipModel(folder, weights, tokenizer, AttentionKernel.EFFICIENT);
        } catch (RuntimeException e) {
            tokenizer.close();
            weights.close();
            throw e;
        }
    }

    /**
     * Where an image lies.
     *
     * @param image of any size: its middle square is looked at
     * @return {@code [1, D]}, not normalised, in the model's dtype
     */
    public Tensor imageFeatures(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            return scope.release(projected(processor.process(image)));
        }
    }

    /** From {@code [B, 3, H, W]} pixels as the processor makes them to {@code [B, D]}. */
    Tensor projected(Tensor pixels) {
        try (var scope = TensorScope.open()) {
            return scope.release(
                    visualProjection.forward(vision.forward(weights.placement().place(pixels))));
        }
    }

    /**
     * Where a text lies.
     *
     * @param prompt what is too long for the model is cut
     * @return {@code [1, D]}, not normalised, in the model's dtype
     */
    public Tensor textFeatures(String prompt) {
        try (var scope = TensorScope.open()) {
            long[] ids = tokenizer.encode(prompt).ids();
            Tensor hidden = text.forward(new long[][] {ids}); // [1, N, C]
            return scope.release(textProjection.forward(hidden.select(1, end(ids))));
        }
    }

    /** The place of the first end marker, whose state stands for the text. */
    private int end(long[] ids) {
        int place = 0;
        for (int i = 0; i < ids.length; i++) {
            if (endToken == LEGACY_END ? ids[i] > ids[place] : ids[i] == endToken && ids[place] != endToken) {
                place = i;
            }
        }
        return place;
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
    }
}
