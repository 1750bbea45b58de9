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
    PromptChunker chunker() {
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
                List.of());
    }

    /** The ids of chunks, as the model takes them. */
    static long[][] ids(List<PromptChunk> chunks) {
        return chunks.stream().map(PromptChunk::ids).toArray(long[][]::new);
    }

    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
