package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.Emphasis;
import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.ScheduledText;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.unet.AddedConditioning;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Prompts as SDXL sees them: the last hidden state but one of each text encoder, side by side; the second one's embedding of
 * a text as a whole; and {@linkplain TimeIds sizes}.
 *
 * @param first the first text encoder; refiners have none
 * @param second the one that embeds whole texts, too
 * @param zeros whether, without a negative prompt, zeros take its place rather than the empty text
 * @param timeIds the sizes
 * @param continues whether runs go on from another run's latents
 */
record SdxlPrompts(Optional<TextEncoder> first, TextEncoder second, boolean zeros, TimeIds timeIds, boolean continues)
        implements PromptEncoder {

    @Override
    public Encoded encode(Request request, Guidance guidance, ScheduledText.Steps steps) {
        return switch (request.promptSyntax()) {
            case PLAIN -> plain(request, guidance);
            case A1111 -> composed(request, ComposedPrompts.of(request, guidance, steps));
            case COMPEL -> compel(request, ComposedPrompts.whole(request, guidance));
        };
    }

    /**
     * As the web UI has it: each encoder's states are weighted apart, the embedding of a text is its first chunk's, and an
     * empty negative prompt is none.
     */
    private Encoded composed(Request request, ComposedPrompts prompts) {
        requireOnePrompt(request);
        boolean zeroed =
                prompts.negativeRows() > 0 && zeros && request.negativePrompt().isEmpty();
        try (var scope = TensorScope.open()) {
            List<Learning> encoders = Stream.concat(
                            first
                                    .map(encoder ->
                                            new Learning(encoder, encoder.learned(request, EmbeddingFile.CLIP_L)))
                                    .stream(),
                            Stream.of(new Learning(second, learnedBySecond(request))))
                    .toList();
            List<ComposedRows.Encoded> encoded = new ArrayList<>();
            for (int number = 0; number < prompts.texts().size(); number++) {
                ComposedPrompts.Text text = prompts.texts().get(number);
                List<Tensor> hidden = new ArrayList<>();
                for (Learning learning : encoders) {
                    WeightedStates states =
                            new WeightedStates(request.emphasis(), chunks -> learning.states(chunks, request.clipSkip())
                                    .hidden());
                    hidden.add(states.of(learning.chunks(text, request.emphasis()), text.counts()));
                }
                Tensor embeddings = Tensors.cat(2, hidden.toArray(Tensor[]::new));
                Tensor pooled = pooled(encoders.get(encoders.size() - 1), text, request.emphasis());
                boolean isZero = zeroed && number == 0;
                encoded.add(new ComposedRows.Encoded(
                        scope.release(isZero ? torch.zeros_like(embeddings) : embeddings),
                        Optional.of(scope.release(isZero ? torch.zeros_like(pooled) : pooled))));
            }
            return new Encoded(
                    timeline(request, prompts, encoded, scope),
                    Collections.nCopies(request.prompts().size(), ""));
        }
    }

    private static void requireOnePrompt(Request request) {
        if (!request.isUsual(Request.PROMPT_2) || !request.isUsual(Request.NEGATIVE_PROMPT_2)) {
            throw new OptionException("{prompt_2} and {negative_prompt_2} do not go with {prompt_syntax} "
                    + request.text(Request.PROMPT_SYNTAX) + ", in which both text encoders see the same prompt");
        }
    }

    /** As compel has it: the embedding of a text is that of its words, syntax and all; an empty negative prompt is a text. */
    private Encoded compel(Request request, ComposedPrompts prompts) {
        requireOnePrompt(request);
        try (var scope = TensorScope.open()) {
            LearnedTokens learned = learnedBySecond(request);
            List<CompelStates> encoders = new ArrayList<>();
            first.ifPresent(encoder -> encoders.add(
                    encoder.penultimateCompel(encoder.learned(request, EmbeddingFile.CLIP_L), request.clipSkip())));
            encoders.add(second.penultimateCompel(learned, request.clipSkip()));
            CompelTexts texts = new CompelTexts(encoders);
            Tensor pooled = second.encodePenultimate(prompts.written(), learned, 0, 0)
                    .pooled()
                    .orElseThrow();
            List<Tensor> states = texts.of(prompts.written());
            List<ComposedRows.Encoded> encoded = new ArrayList<>();
            for (int i = 0; i < states.size(); i++) {
                Tensor ofText = Tensors.slice(pooled, 0, i, i + 1L);
                encoded.add(new ComposedRows.Encoded(scope.release(states.get(i)), Optional.of(scope.release(ofText))));
            }
            return new Encoded(timeline(request, prompts, encoded, scope), texts.droppedWords(request.prompts()));
        }
    }

    private TextTimeline timeline(
            Request request, ComposedPrompts prompts, List<ComposedRows.Encoded> encoded, TensorScope scope) {
        int rows = prompts.rows().size();
        boolean fromImage = continues || request.start().beginsWithImage();
        Tensor ids = scope.release(timeIds.inOrder(request, prompts.negativeRows(), rows, fromImage));
        return new ComposedRows(prompts, encoded).timeline((embeddings, pooled) -> TextConditioning.of(embeddings)
                .with(new AddedConditioning(pooled.orElseThrow(), ids)));
    }

    /** A text encoder, and the textual inversions of a request as it sees them. */
    private record Learning(TextEncoder encoder, LearnedTokens learned) {
        List<List<PromptChunk>> chunks(ComposedPrompts.Text text, Emphasis emphasis) {
            return encoder.chunker(learned).ofVariants(text.variants(), emphasis);
        }

        ClipTextModel.Output states(List<PromptChunk> chunks, int skip) {
            return encoder.penultimateStates(chunks, learned, skip);
        }
    }

    /** A refiner knows files for the second encoder alone besides those for both. */
    private LearnedTokens learnedBySecond(Request request) {
        return second.learned(request, first.isEmpty() ? EmbeddingFile.CLIP_G_ALONE : EmbeddingFile.CLIP_G);
    }

    /** Of each variant's first chunk, {@code [variants, P]}. */
    private static Tensor pooled(Learning second, ComposedPrompts.Text text, Emphasis emphasis) {
        List<PromptChunk> firstChunks = second.chunks(text, emphasis).stream()
                .map(chunks -> chunks.get(0))
                .toList();
        return second.states(firstChunks, 0).pooled().orElseThrow();
    }

    private Encoded plain(Request request, Guidance guidance) {
        PromptRows rows = PromptRows.of(request, guidance);
        boolean zeroed = rows.negative() && zeros && !request.isChosen(Request.NEGATIVE_PROMPT);
        PromptRows encoded = zeroed ? new PromptRows(false, List.of()) : rows;
        try (var scope = TensorScope.open()) {
            List<Tensor> hidden = new ArrayList<>();
            List<String> dropped =
                    new ArrayList<>(Collections.nCopies(request.prompts().size(), ""));
            if (first.isPresent()) {
                TextEncoder.Encoded texts = first.get()
                        .encodePenultimate(
                                encoded.texts(request.negativePrompt(), request.prompts()),
                                first.get().learned(request, EmbeddingFile.CLIP_L),
                                encoded.negative() ? 1 : 0, // diffusers leaves layers out for prompts alone
                                request.clipSkip());
                hidden.add(texts.embeddings());
                dropped = joined(dropped, encoded.ofPrompts(texts.droppedWords()));
            }
            TextEncoder.Encoded texts = second.encodePenultimate(
                    secondTexts(request, encoded),
                    learnedBySecond(request),
                    encoded.negative() ? 1 : 0,
                    request.clipSkip());
            hidden.add(texts.embeddings());
            Tensor embeddings = Tensors.cat(2, hidden.toArray(Tensor[]::new)); // [texts, M, D]
            Tensor pooled = texts.pooled().orElseThrow(); // [texts, P]
            Tensor ofRows = rows.spread(zeroed ? withZeros(embeddings) : embeddings);
            Tensor pooledOfRows = rows.spread(zeroed ? withZeros(pooled) : pooled);
            boolean fromImage = continues || request.start().beginsWithImage();
            Tensor ids = timeIds.of(request, rows.negative(), fromImage)
                    .to(ofRows.device(), Tensors.dtype(ofRows)); // rounded, as the reference rounds them
            AddedConditioning added = new AddedConditioning(scope.release(pooledOfRows), scope.release(ids));
            return new Encoded(
                    TextConditioning.of(scope.release(ofRows)).with(added),
                    joined(dropped, encoded.ofPrompts(texts.droppedWords())));
        }
    }

    /** A model with one text encoder has no use for second prompts. */
    private List<String> secondTexts(Request request, PromptRows encoded) {
        if (first.isEmpty()) {
            return encoded.texts(request.negativePrompt(), request.prompts());
        }
        String negative = request.get(Request.NEGATIVE_PROMPT_2);
        String prompt = request.get(Request.PROMPT_2);
        return encoded.texts(
                negative.isEmpty() ? request.negativePrompt() : negative,
                prompt.isEmpty()
                        ? request.prompts()
                        : Collections.nCopies(request.prompts().size(), prompt));
    }

    /** With zeros as the first text's. */
    private static Tensor withZeros(Tensor ofTexts) {
        return Tensors.cat(0, torch.zeros_like(Tensors.slice(ofTexts, 0, 0, 1)), ofTexts);
    }

    /** Words that either encoder dropped of each prompt; mostly both drop the same. */
    private static List<String> joined(List<String> one, List<String> other) {
        return IntStream.range(0, one.size())
                .mapToObj(i -> other.get(i).isEmpty() || one.get(i).equals(other.get(i))
                        ? one.get(i)
                        : one.get(i).isEmpty() ? other.get(i) : one.get(i) + " / " + other.get(i))
                .toList();
    }

    /** The same for runs that go on from another run's latents. */
    @Override
    public SdxlPrompts continuing() {
        return new SdxlPrompts(first, second, zeros, timeIds, true);
    }

    @Override
    public long weightBytes() {
        return second.model().weightBytes()
                + first.map(encoder -> encoder.model().weightBytes()).orElse(0L);
    }

    @Override
    public void close() {
        first.ifPresent(TextEncoder::close);
        second.close();
    }
}
