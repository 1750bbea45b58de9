package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** What the T2I-Adapters of a run add to a UNet's features: the same in all steps, or in the first ones alone. */
record AdapterFeatures(List<Part> parts) {
    static final AdapterFeatures NONE = new AdapterFeatures(List.of());

    /**
     * One adapter's.
     *
     * @param features times its scale, {@code [1, C, H, W]} each
     * @param calls of the denoiser, from the first, in which they are added
     */
    record Part(List<Tensor> features, int calls) {}

    /**
     * The steps of a run, as diffusers counts them for adapters.
     *
     * @param count steps of the scheduler, which may call the denoiser more often
     * @param always whether a share of 1 is all calls, and not as many as there are steps: in diffusers' pipeline for SDXL a
     *     scheduler that calls twice a step, such as Heun's, has the second half of its calls without the adapter
     */
    record Steps(int count, boolean always) {
        int calls(double factor) {
            return always && factor == 1 ? Integer.MAX_VALUE : (int) (count * factor);
        }
    }

    /**
     * The sum of those that are added in a call of the denoiser, in the open scope; empty for none.
     *
     * @param call from 0
     */
    List<Tensor> at(int call) {
        List<Tensor> sums = List.of();
        for (Part part : parts) {
            if (call < part.calls()) {
                sums = sums.isEmpty() ? part.features() : sum(sums, part.features());
            }
        }
        return sums;
    }

    private static List<Tensor> sum(List<Tensor> one, List<Tensor> other) {
        try (var scope = TensorScope.open()) {
            List<Tensor> sums = new ArrayList<>();
            for (int i = 0; i < Math.max(one.size(), other.size()); i++) {
                if (i < one.size() && i < other.size()) {
                    sums.add(scope.release(one.get(i).add(other.get(i))));
                } else {
                    sums.add(i < one.size() ? one.get(i) : other.get(i));
                }
            }
            return sums;
        }
    }
}
