package io.tome4j.diffusion;

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
    /**
     * @param embeddings {@code [texts, M, D]}; in the scope that was open
     * @param pooled one embedding a text, {@code [texts, P]}; empty of an encoder that has none
     * @param droppedWords for each text the words that did not fit
     */
    record Encoded(Tensor embeddings, Optional<Tensor> pooled, List<String> droppedWords) {}

    /** Encodes texts, at least one. */
    Encoded encode(List<String> texts) {
        List<TokenizedPrompt> tokens = tokens(texts);
        return new Encoded(model.forward(ids(tokens)), Optional.empty(), dropped(tokens));
    }

    /** As {@link #encode}, with the last hidden state but one, before any norm, and the embeddings of whole texts. */
    Encoded encodePenultimate(List<String> texts) {
        List<TokenizedPrompt> tokens = tokens(texts);
        ClipTextModel.Output output = model.encode(ids(tokens), 1);
        return new Encoded(output.hidden(), output.pooled(), dropped(tokens));
    }

    private List<TokenizedPrompt> tokens(List<String> texts) {
        return texts.stream().map(tokenizer::encode).toList();
    }

    private static long[][] ids(List<TokenizedPrompt> tokens) {
        return tokens.stream().map(TokenizedPrompt::ids).toArray(long[][]::new);
    }

    private static List<String> dropped(List<TokenizedPrompt> tokens) {
        return tokens.stream().map(TokenizedPrompt::dropped).toList();
    }

    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
