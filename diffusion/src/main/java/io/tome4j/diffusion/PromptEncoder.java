package io.tome4j.diffusion;

import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Prompts to text embeddings, with CLIP. Owns the tokenizer and the text encoder.
 *
 * @param tokenizer cuts text into tokens
 * @param textEncoder gives each token its embedding
 */
record PromptEncoder(ClipTokenizer tokenizer, ClipTextModel textEncoder) implements AutoCloseable {
    /**
     * @param embeddings {@code [images, M, D]}, with guidance {@code [2 * images, M, D]}: first those of the negative
     *     prompt; in the scope that was open
     * @param droppedWords for each prompt the words that did not fit
     */
    record Encoded(Tensor embeddings, List<String> droppedWords) {}

    /** The embeddings of a request's prompts; each text is encoded once, however many images it gives. */
    Encoded encode(Request request, Guidance guidance) {
        List<long[]> ids = new ArrayList<>(); // each text once
        List<Long> rows = new ArrayList<>(); // which text belongs to each row of the batch
        List<String> dropped = new ArrayList<>();
        if (guidance.isOn()) {
            ids.add(tokenizer.encode(request.negativePrompt()).ids());
            rows.addAll(Collections.nCopies(request.images(), 0L));
        }
        for (String prompt : request.prompts()) {
            var encoded = tokenizer.encode(prompt);
            dropped.add(encoded.dropped());
            rows.addAll(Collections.nCopies(request.imagesPerPrompt(), (long) ids.size()));
            ids.add(encoded.ids());
        }
        try (var scope = TensorScope.open()) {
            Tensor embeddings = textEncoder.forward(ids.toArray(long[][]::new));
            Tensor index = Tensors.of(rows.stream().mapToLong(Long::longValue).toArray(), rows.size());
            Tensor ofRows = embeddings.index_select(0, index.to(embeddings.device(), ScalarType.Long));
            return new Encoded(scope.release(ofRows), List.copyOf(dropped));
        }
    }

    @Override
    public void close() {
        textEncoder.close();
        tokenizer.close();
    }
}
