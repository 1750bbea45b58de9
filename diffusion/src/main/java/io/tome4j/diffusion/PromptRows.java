package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Which text belongs to each row of a run's batch. The texts are the negative prompt, with guidance, and then the prompts;
 * the rows are {@code images} times the first, and then each prompt as often as it gives images.
 *
 * @param negative whether the first text is the negative prompt
 * @param texts the number of the text of each row
 */
record PromptRows(boolean negative, List<Long> texts) {
    PromptRows {
        texts = List.copyOf(texts);
    }

    static PromptRows of(Request request, Guidance guidance) {
        boolean negative = guidance.isOn();
        List<Long> rows = new ArrayList<>();
        if (negative) {
            rows.addAll(Collections.nCopies(request.images(), 0L));
        }
        for (int prompt = 0; prompt < request.prompts().size(); prompt++) {
            rows.addAll(Collections.nCopies(request.imagesPerPrompt(), prompt + (negative ? 1L : 0)));
        }
        return new PromptRows(negative, rows);
    }

    /** The texts, each once. */
    List<String> texts(String negativePrompt, List<String> prompts) {
        List<String> all = new ArrayList<>();
        if (negative) {
            all.add(negativePrompt);
        }
        all.addAll(prompts);
        return all;
    }

    /** Those of the prompts alone, of one value a text. */
    <T> List<T> ofPrompts(List<T> ofTexts) {
        return List.copyOf(ofTexts.subList(negative ? 1 : 0, ofTexts.size()));
    }

    /**
     * What was computed for each text, for each row.
     *
     * @param ofTexts {@code [texts, ...]}
     * @return {@code [rows, ...]}, in the open scope
     */
    Tensor spread(Tensor ofTexts) {
        try (var scope = TensorScope.open()) {
            Tensor index = Tensors.of(texts.stream().mapToLong(Long::longValue).toArray(), texts.size());
            return scope.release(ofTexts.index_select(0, index.to(ofTexts.device(), ScalarType.Long)));
        }
    }
}
