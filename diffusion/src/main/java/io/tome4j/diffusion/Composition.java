package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * How the predictions of a prompt's parts become one (composable diffusion, arXiv 2206.01714, section 4): without the prompt,
 * plus each part's difference to that times its weight. Where guidance is off there is no prediction without the prompt, and
 * the parts' weighted mean is taken. In a batch stand, behind the rows without the prompt, those of all images' first parts,
 * then of all second parts, and so on.
 *
 * @param weights for each part the weight in each image; an image with fewer parts has zeros
 */
record Composition(List<List<Double>> weights) {
    /** One part, of weight 1. */
    static final Composition PLAIN = new Composition(List.of());

    Composition {
        weights = List.copyOf(weights);
    }

    /** Parts of the image that has most. */
    int parts() {
        return Math.max(1, weights.size());
    }

    /** How often the model's batch holds each image in a step. */
    int copies(Guidance guided) {
        return guided.copies() + parts() - 1;
    }

    /**
     * What the model sees.
     *
     * @param input what it would see of one part, {@code [guided.copies() * B, ...]}
     * @return {@code [copies * B, ...]}
     */
    Tensor inputs(Tensor input, Guidance guided) {
        if (parts() == 1) {
            return input;
        }
        try (var scope = TensorScope.open()) {
            Tensor[] all = new Tensor[parts()];
            long images = input.size(0) / guided.copies();
            all[0] = input;
            for (int part = 1; part < all.length; part++) {
                all[part] = Tensors.slice(input, 0, input.size(0) - images, input.size(0));
            }
            return scope.release(Tensors.cat(0, all));
        }
    }

    /**
     * What guidance sees of the model's prediction.
     *
     * @param predicted {@code [copies * B, C, H, W]} fp32
     * @return {@code [guided.copies() * B, C, H, W]} fp32
     */
    Tensor joined(Tensor predicted, Guidance guided) {
        if (weights.isEmpty()) {
            return predicted;
        }
        try (var scope = TensorScope.open()) {
            long images = predicted.size(0) / copies(guided);
            int first = guided.copies() - 1;
            Tensor sum = torch.zeros_like(Tensors.slice(predicted, 0, 0, images));
            Tensor total = torch.zeros_like(ofImages(0));
            Tensor without = Tensors.slice(predicted, 0, 0, images); // without the prompt, if guided
            for (int part = 0; part < parts(); part++) {
                Tensor row = Tensors.slice(predicted, 0, (first + part) * images, (first + part + 1) * images);
                sum.add_(ofImages(part).mul(guided.isOn() ? row.sub(without) : row));
                total.add_(ofImages(part));
            }
            return scope.release(guided.isOn() ? Tensors.cat(0, without, sum.add_(without)) : sum.div_(total));
        }
    }

    /** {@code [B, 1, 1, 1]}. */
    private Tensor ofImages(int part) {
        List<Double> ofPart = weights.get(part);
        float[] values = new float[ofPart.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = ofPart.get(i).floatValue();
        }
        return Tensors.of(values, values.length, 1, 1, 1);
    }
}
