package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.text.TokenizedPrompt;
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

    /** As {@link #encode(List)}, of texts that may have learned tokens. */
    Encoded encode(List<String> texts, LearnedTokens learned) {
        return encode(texts, learned, 0);
    }

    /** As {@link #encodePenultimate(List)}, of texts that may have learned tokens. */
    Encoded encodePenultimate(List<String> texts, LearnedTokens learned) {
        return encode(texts, learned, 1);
    }

    private Encoded encode(List<String> texts, LearnedTokens learned, int back) {
        if (learned.isEmpty()) {
            return back == 0 ? encode(texts) : encodePenultimate(texts);
        }
        try (ClipTokenizer more = tokenizer.with(learned.tokens())) {
            List<TokenizedPrompt> tokens = texts.stream()
                    .map(text -> more.encode(learned.written(text, more)))
                    .toList();
            long[][] ids = tokens.stream()
                    .map(prompt -> learned.ofModel(prompt.ids(), more))
                    .toArray(long[][]::new);
            if (back == 0) {
                return new Encoded(model.forward(ids, learned.ofModel()), Optional.empty(), dropped(tokens));
            }
            ClipTextModel.Output output = model.encode(ids, back, learned.ofModel());
            return new Encoded(output.hidden(), output.pooled(), dropped(tokens));
        }
    }

    /** Encodes texts, at least one. */
    Encoded encode(List<String> texts) {
        List<TokenizedPrompt> tokens = tokens(texts);
        return new Encoded(model.forward(plainIds(tokens)), Optional.empty(), dropped(tokens));
    }

    /** As {@link #encode}, with the last hidden state but one, before any norm, and the embeddings of whole texts. */
    Encoded encodePenultimate(List<String> texts) {
        List<TokenizedPrompt> tokens = tokens(texts);
        ClipTextModel.Output output = model.encode(plainIds(tokens), 1);
        return new Encoded(output.hidden(), output.pooled(), dropped(tokens));
    }

    private List<TokenizedPrompt> tokens(List<String> texts) {
        return texts.stream().map(tokenizer::encode).toList();
    }

    private static long[][] plainIds(List<TokenizedPrompt> tokens) {
        return tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new);
    }

    private static List<String> dropped(List<TokenizedPrompt> tokens) {
        return tokens.stream().map(TokenizedPrompt::dropped).toList();
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

    /** The ids of chunks, as the model takes them. */
    static long[][] ids(List<PromptChunk> chunks) {
        return chunks.stream().map(PromptChunk::ids).toArray(long[][]::new);
    }

    /** The states of chunks, {@code [chunks, N, C]}. */
    Tensor states(List<PromptChunk> chunks, LearnedTokens learned) {
        return model.forward(chunks.stream().map(learned::ids).toArray(long[][]::new), learned.ofModel());
    }

    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
