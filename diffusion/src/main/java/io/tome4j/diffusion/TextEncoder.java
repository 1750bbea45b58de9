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
        if (learned.isEmpty()) {
            return encode(texts);
        }
        try (ClipTokenizer more = tokenizer.with(learned.tokens())) {
            List<TokenizedPrompt> tokens = texts.stream()
                    .map(text -> more.encode(learned.written(text, more)))
                    .toList();
            long[][] ids = tokens.stream()
                    .map(prompt -> learned.ofModel(prompt.ids(), more))
                    .toArray(long[][]::new);
            return new Encoded(
                    model.forward(ids, learned.ofModel()),
                    tokens.stream().map(TokenizedPrompt::dropped).toList());
        }
    }

    /** Encodes texts, at least one. */
    Encoded encode(List<String> texts) {
        List<TokenizedPrompt> tokens = texts.stream().map(tokenizer::encode).toList();
        return new Encoded(
                model.forward(tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new)),
                tokens.stream().map(TokenizedPrompt::dropped).toList());
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
