package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.text.TokenizedPrompt;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
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

    /** Encodes texts, at least one, by all layers. */
    Encoded encode(List<String> texts) {
        return encode(texts, 0, 0);
    }

    /**
     * Encodes texts, at least one.
     *
     * @param whole how many of the first are encoded by all layers
     * @param skip how many of the last layers are left out for the others
     */
    Encoded encode(List<String> texts, int whole, int skip) {
        List<TokenizedPrompt> tokens = texts.stream().map(tokenizer::encode).toList();
        long[][] ids = tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new);
        List<String> dropped = tokens.stream().map(TokenizedPrompt::dropped).toList();
        if (skip == 0 || whole == 0) {
            return new Encoded(model.forward(ids, skip), dropped);
        }
        try (var scope = TensorScope.open()) {
            Tensor all = model.forward(Arrays.copyOf(ids, whole), 0);
            Tensor some = model.forward(Arrays.copyOfRange(ids, whole, ids.length), skip);
            return new Encoded(scope.release(Tensors.cat(0, all, some)), dropped);
        }
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
