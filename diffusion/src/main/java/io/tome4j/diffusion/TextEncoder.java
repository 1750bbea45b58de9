package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.text.TokenizedPrompt;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * One of a checkpoint's text encoders, with the tokenizer that cuts for it. Owns both.
 *
 * @param tokenizer cuts text into tokens
 * @param model gives each token its embedding
 */
record TextEncoder(ClipTokenizer tokenizer, ClipTextModel model) implements AutoCloseable {
    private static final int NO_TOKEN = -1;
    private static final int MARKERS = 2;

    /**
     * @param embeddings {@code [texts, M, D]}; in the scope that was open
     * @param pooled one embedding a text, {@code [texts, P]}; empty of an encoder that has none
     * @param droppedWords for each text the words that did not fit
     */
    record Encoded(Tensor embeddings, Optional<Tensor> pooled, List<String> droppedWords) {}

    /**
     * The textual inversions of a request as this encoder sees them.
     *
     * @param part as {@link EmbeddingFile#load} has it
     * @return its vectors belong to the open scope
     */
    LearnedTokens learned(Request request, String part) {
        return LearnedTokens.of(Embeddings.of(request), part, model.hiddenSize(), tokenizer, model.vocabSize());
    }

    /**
     * Encodes texts, at least one, as Stable Diffusion 1.x and 2.x see them: with the final layer norm.
     *
     * @param learned what the texts may name
     * @param whole how many of the first are encoded by all layers
     * @param skip how many of the last layers are left out for the others
     */
    Encoded encode(List<String> texts, LearnedTokens learned, int whole, int skip) {
        return encode(
                texts,
                learned,
                whole,
                requireLayers(skip, 0),
                (ids, left) -> new ClipTextModel.Output(model.forward(ids, left, learned.ofModel()), Optional.empty()));
    }

    /**
     * As {@link #encode}, as SDXL sees them: the last hidden state but one, before any norm, and the embeddings of whole texts,
     * for which no layer is left out.
     */
    Encoded encodePenultimate(List<String> texts, LearnedTokens learned, int whole, int skip) {
        return encode(
                texts,
                learned,
                whole,
                requireLayers(skip, 1),
                (ids, left) -> model.encode(ids, 1 + left, learned.ofModel()));
    }

    /** A forward pass that leaves out the last layers. */
    private interface Pass {
        ClipTextModel.Output of(long[][] ids, int skip);
    }

    /** @throws OptionException if there are not so many layers to leave out, and {@code more} besides */
    private int requireLayers(int skip, int more) {
        if (skip + more > model.layerCount()) {
            throw new OptionException("{clip_skip} is " + skip + ", and a text encoder has only " + model.layerCount()
                    + " layers to leave out");
        }
        return skip;
    }

    private Encoded encode(List<String> texts, LearnedTokens learned, int whole, int skip, Pass pass) {
        List<TokenizedPrompt> tokens;
        long[][] ids;
        if (learned.isEmpty()) {
            tokens = texts.stream().map(tokenizer::encode).toList();
            ids = tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new);
        } else {
            try (ClipTokenizer more = tokenizer.with(learned.tokens())) {
                tokens = texts.stream()
                        .map(text -> more.encode(learned.written(text, more)))
                        .toList();
                ids = tokens.stream()
                        .map(prompt -> learned.ofModel(prompt.ids(), more))
                        .toArray(long[][]::new);
            }
        }
        List<String> dropped = tokens.stream().map(TokenizedPrompt::dropped).toList();
        if (skip == 0 || whole == 0) {
            ClipTextModel.Output output = pass.of(ids, skip);
            return new Encoded(output.hidden(), output.pooled(), dropped);
        }
        try (var scope = TensorScope.open()) {
            ClipTextModel.Output all = pass.of(Arrays.copyOf(ids, whole), 0);
            ClipTextModel.Output some = pass.of(Arrays.copyOfRange(ids, whole, ids.length), skip);
            return new Encoded(
                    scope.release(Tensors.cat(0, all.hidden(), some.hidden())),
                    all.pooled()
                            .map(first -> scope.release(
                                    Tensors.cat(0, first, some.pooled().orElseThrow()))),
                    dropped);
        }
    }

    /** Cuts texts of any length for this encoder. */
    PromptChunker chunker(LearnedTokens learned) {
        long[] empty = tokenizer.encode("").ids();
        long[] comma = tokenizer.tokens(",");
        return new PromptChunker(
                tokenizer::tokens,
                new PromptChunker.Tokens(
                        empty[0],
                        empty[1],
                        empty[empty.length - 1],
                        comma.length == 1 ? comma[0] : NO_TOKEN,
                        tokenizer.maxLength() - MARKERS),
                learned.triggers(tokenizer));
    }

    private static long[][] ids(List<PromptChunk> chunks, LearnedTokens learned) {
        return chunks.stream().map(learned::ids).toArray(long[][]::new);
    }

    /**
     * The states of chunks, {@code [chunks, N, C]}.
     *
     * @param skip how many of the last layers are left out
     */
    Tensor states(List<PromptChunk> chunks, LearnedTokens learned, int skip) {
        return model.forward(ids(chunks, learned), requireLayers(skip, 0), learned.inPlace());
    }

    /**
     * As {@link #states}, as SDXL sees them: one layer less, before any norm; and the embeddings of the chunks as wholes, for
     * which no layer is left out.
     */
    ClipTextModel.Output penultimateStates(List<PromptChunk> chunks, LearnedTokens learned, int skip) {
        return model.encode(ids(chunks, learned), 1 + requireLayers(skip, 1), learned.inPlace());
    }

    /** Weighs texts in compel's syntax, of states with the final layer norm. */
    CompelStates compel(LearnedTokens learned, int skip) {
        int layers = requireLayers(skip, 0);
        return new CompelStates(
                new CompelStates.Tokens(tokenizer, learned),
                (ids, unseen) -> model.forward(new long[][] {ids}, layers, learned.ofModel(), unseen));
    }

    /** As {@link #compel}, of states as SDXL sees them. */
    CompelStates penultimateCompel(LearnedTokens learned, int skip) {
        int layers = 1 + requireLayers(skip, 1);
        return new CompelStates(new CompelStates.Tokens(tokenizer, learned), (ids, unseen) -> model.encode(
                        new long[][] {ids}, layers, learned.ofModel(), unseen)
                .hidden());
    }

    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
