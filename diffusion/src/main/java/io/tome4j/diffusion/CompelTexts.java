package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.CompelPrompt;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Texts in compel's syntax as one or more text encoders see them: their states stand side by side, and shorter texts are
 * followed by the empty text, so that all are as long as the longest.
 *
 * @param encoders one, or SDXL's two
 */
record CompelTexts(List<CompelStates> encoders) {
    /** {@code [1, M, D]} fp32 of each text, all of one length, in the open scope. */
    List<Tensor> of(List<String> texts) {
        List<Tensor> encoded = texts.stream()
                .map(CompelPrompt::parse)
                .map(prompt -> beside(
                        encoders.stream().map(states -> states.of(prompt)).toList()))
                .toList();
        long longest = encoded.stream().mapToLong(each -> each.size(1)).max().orElse(0);
        return encoded.stream().map(each -> padded(each, longest)).toList();
    }

    private static Tensor beside(List<Tensor> states) {
        return states.size() == 1 ? states.get(0) : Tensors.cat(2, states.toArray(Tensor[]::new));
    }

    private Tensor padded(Tensor states, long length) {
        if (states.size(1) == length) {
            return states;
        }
        try (var scope = TensorScope.open()) {
            Tensor empty = beside(encoders.stream().map(CompelStates::empty).toList());
            List<Tensor> all = new ArrayList<>(List.of(states));
            for (long have = states.size(1); have < length; have += empty.size(1)) {
                all.add(empty);
            }
            return scope.release(Tensors.cat(1, all.toArray(Tensor[]::new)));
        }
    }

    /** What of each prompt did not fit. */
    List<String> droppedWords(List<String> prompts) {
        return prompts.stream()
                .map(prompt -> encoders.get(0).droppedWords(CompelPrompt.parse(prompt)))
                .toList();
    }
}
