package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.text.TokenizedPrompt;
import java.util.List;
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
     * @param droppedWords for each text the words that did not fit
     */
    record Encoded(Tensor embeddings, List<String> droppedWords) {}

    /** Encodes texts, at least one. */
    Encoded encode(List<String> texts) {
        List<TokenizedPrompt> tokens = texts.stream().map(tokenizer::encode).toList();
        return new Encoded(
                model.forward(tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new)),
                tokens.stream().map(TokenizedPrompt::dropped).toList());
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
