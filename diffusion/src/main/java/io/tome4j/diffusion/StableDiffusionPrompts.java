package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.diffusion.prompt.ScheduledText;
import io.tome4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Prompts as Stable Diffusion 1.x and 2.x see them: by one text encoder.
 *
 * @param encoder the text encoder
 */
record StableDiffusionPrompts(TextEncoder encoder) implements PromptEncoder {
    @Override
    public Encoded encode(Request request, Guidance guidance, ScheduledText.Steps steps) {
        return switch (request.promptSyntax()) {
            case PLAIN -> plain(request, guidance);
            case A1111 -> composed(request, ComposedPrompts.of(request, guidance, steps));
            case COMPEL -> compel(request, ComposedPrompts.whole(request, guidance));
        };
    }

    private Encoded composed(Request request, ComposedPrompts prompts) {
        try (var scope = TensorScope.open()) {
            LearnedTokens learned = encoder.learned(request, EmbeddingFile.ONLY);
            WeightedStates states = new WeightedStates(
                    request.emphasis(), chunks -> encoder.states(chunks, learned, request.clipSkip()));
            PromptChunker chunker = encoder.chunker(learned);
            List<ComposedRows.Encoded> encoded = new ArrayList<>();
            for (ComposedPrompts.Text text : prompts.texts()) {
                Tensor embeddings = states.of(chunker.ofVariants(text.variants(), request.emphasis()), text.counts());
                encoded.add(new ComposedRows.Encoded(scope.release(embeddings), Optional.empty()));
            }
            TextTimeline timeline = new ComposedRows(prompts, encoded)
                    .timeline((embeddings, pooled) -> TextConditioning.of(embeddings));
            return new Encoded(timeline, Collections.nCopies(request.prompts().size(), ""));
        }
    }

    private Encoded compel(Request request, ComposedPrompts prompts) {
        try (var scope = TensorScope.open()) {
            LearnedTokens learned = encoder.learned(request, EmbeddingFile.ONLY);
            CompelTexts texts = new CompelTexts(List.of(encoder.compel(learned, request.clipSkip())));
            List<ComposedRows.Encoded> encoded = texts.of(prompts.written()).stream()
                    .map(states -> new ComposedRows.Encoded(scope.release(states), Optional.empty()))
                    .toList();
            TextTimeline timeline = new ComposedRows(prompts, encoded)
                    .timeline((embeddings, pooled) -> TextConditioning.of(embeddings));
            return new Encoded(timeline, texts.droppedWords(request.prompts()));
        }
    }

    private Encoded plain(Request request, Guidance guidance) {
        PromptRows rows = PromptRows.of(request, guidance);
        try (var scope = TensorScope.open()) {
            TextEncoder.Encoded texts = encoder.encode(
                    rows.texts(request.negativePrompt(), request.prompts()),
                    encoder.learned(request, EmbeddingFile.ONLY),
                    rows.negative() ? 1 : 0, // diffusers leaves layers out for prompts alone
                    request.clipSkip());
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
