package io.tome4j.models.unet;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * Images as a prompt: what a UNet's tokens attend to beside the text, each cross-attention apart (arXiv 2308.06721, section
 * 3.2.2). Its tensors belong to whoever made them.
 *
 * @param adapter what makes keys and values of tokens
 * @param without tokens that rows without the prompt see, {@code [1, M, D]}
 * @param with tokens that rows with the prompt see, likewise
 * @param prompted how many rows have the prompt: the last of the batch
 * @param scale how strongly it counts; 1 is as the text
 */
public record ImagePrompt(IPAdapterModel adapter, Tensor without, Tensor with, long prompted, double scale) {
    /**
     * Keys and values of all rows for a transformer block.
     *
     * @return {@code [rows, M, 2C]}, in the open scope
     */
    Pairs pairs(String block, long rows) {
        try (var scope = TensorScope.open()) {
            Tensor ofPrompted = adapter.pairs(block, with).expand(prompted, -1, -1);
            Tensor all = rows == prompted
                    ? ofPrompted.contiguous()
                    : Tensors.cat(0, adapter.pairs(block, without).expand(rows - prompted, -1, -1), ofPrompted);
            return new Pairs(scope.release(all), scale);
        }
    }

    /**
     * What an attention sees of images.
     *
     * @param pairs keys and values, {@code [B, M, 2C]}
     */
    record Pairs(Tensor pairs, double scale) {}
}
