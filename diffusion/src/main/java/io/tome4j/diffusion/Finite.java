package io.tome4j.diffusion;

import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Ends a run whose numbers have left the range of floating point: all that followed would be a black image.
 *
 * @param listener told of all steps that are finite
 */
record Finite(StepListener listener) implements StepListener {
    private static final String ADVICE =
            "; the weights or the config are damaged, the guidance scale is too large, or the"
                    + " dtype has too small a range: fp32 has the largest.";

    @Override
    public boolean onStep(Progress progress) {
        require(
                progress.latents(),
                "After step " + progress.done() + " of " + progress.total()
                        + " the latents are not numbers (NaN or infinite)");
        return listener.onStep(progress);
    }

    @Override
    public void onMerge(MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
        listener.onMerge(block, hidden, grid, merge, context);
    }

    /**
     * @param decoded what the decoder made
     * @param dtype what it computed in
     * @throws TomeException if a number is not finite
     */
    static void requireDecoded(Tensor decoded, DType dtype) {
        String what = "The decoder's image is not made of numbers (NaN or infinite)";
        if (dtype != DType.FP16) {
            require(decoded, what);
        } else if (!isFinite(decoded)) {
            throw new TomeException(
                    what + ": its VAE leaves the range of fp16. Use dtype fp32 or bf16, or a VAE that was"
                            + " made for fp16 (for SDXL, the one known as fp16-fix).");
        }
    }

    /**
     * @param what the beginning of the message if a number is not finite
     * @throws TomeException if one is not
     */
    static void require(Tensor tensor, String what) {
        if (!isFinite(tensor)) {
            throw new TomeException(what + ADVICE);
        }
    }

    private static boolean isFinite(Tensor tensor) {
        try (var scope = TensorScope.open()) {
            return torch.isfinite(tensor).all().item_bool();
        }
    }
}
