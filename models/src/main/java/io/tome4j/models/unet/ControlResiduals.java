package io.tome4j.models.unet;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What a ControlNet adds to a UNet's features (arXiv 2302.05543, section 3.2). Its tensors belong to the scope that was open
 * when it was made.
 *
 * @param down one for each skip connection, in the order in which they are made, {@code [B, C, H, W]}
 * @param mid for the middle, likewise
 */
public record ControlResiduals(List<Tensor> down, Tensor mid) {
    public ControlResiduals {
        down = List.copyOf(down);
    }

    /** The sum of this and another's, of the same sizes; in the open scope. */
    public ControlResiduals plus(ControlResiduals other) {
        List<Tensor> sums = new ArrayList<>();
        for (int i = 0; i < down.size(); i++) {
            sums.add(down.get(i).add(other.down.get(i)));
        }
        return new ControlResiduals(sums, mid.add(other.mid));
    }

    /** The same with rows of zeros in front; in the open scope. */
    public ControlResiduals behind(long rows) {
        return rows == 0
                ? this
                : new ControlResiduals(
                        down.stream().map(residual -> behind(residual, rows)).toList(), behind(mid, rows));
    }

    private static Tensor behind(Tensor residual, long rows) {
        try (var scope = TensorScope.open()) {
            Tensor zeros = torch.zeros_like(Tensors.slice(residual, 0, 0, 1))
                    .expand(rows, residual.size(1), residual.size(2), residual.size(3));
            return scope.release(Tensors.cat(0, zeros, residual));
        }
    }
}
