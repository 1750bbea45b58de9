package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;

/**
 * Prompts as Stable Diffusion 1.x and 2.x see them: by one text encoder.
 *
 * @param encoder the text encoder
 */
record StableDiffusionPrompts(TextEncoder encoder) implements PromptEncoder {
    @Override
    public Encoded encode(Request request, Guidance guidance) {
        PromptRows rows = PromptRows.of(request, guidance);
        try (var scope = TensorScope.open()) {
            TextEncoder.Encoded texts = encoder.encode(rows.texts(request.negativePrompt(), request.prompts()));
            return new Encoded(
                    TextConditioning.of(scope.release(rows.spread(texts.embeddings()))),
                    rows.ofPrompts(texts.droppedWords()));
        }
    }

    @Override
    public long weightBytes() {
        return encoder.model().weightBytes();
    }

    @Override
    public void close() {
        encoder.close();
    }
}
