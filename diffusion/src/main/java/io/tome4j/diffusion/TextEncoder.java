package io.tome4j.diffusion;

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

    @Override
    public void close() {
        model.close();
        tokenizer.close();
    }
}
