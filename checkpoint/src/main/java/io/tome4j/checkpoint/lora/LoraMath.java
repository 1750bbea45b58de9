package io.tome4j.checkpoint.lora;

import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** What deltas are made of. All in fp32; results belong to the scope that is open. */
final class LoraMath {
    private LoraMath() {}

    /**
     * A kernel that was factorised (Tucker): its middle, contracted with a factor along each of its first two dimensions.
     *
     * @param middle {@code [p, q, k, k]}
     * @param rows {@code [p, out]}
     * @param columns {@code [q, in]}
     * @return {@code [out, in, k, k]}
     */
    static Tensor contracted(Tensor middle, Tensor rows, Tensor columns) {
        return torch.einsum("pq...,po,qi->oi...", new TensorVector(middle, rows, columns));
    }

    /**
     * The Kronecker product of the first two dimensions; kernels are the second's.
     *
     * @param first {@code [a, b]}
     * @param second {@code [c, d, ...]}
     * @return {@code [ac, bd, ...]}
     */
    static Tensor kron(Tensor first, Tensor second) {
        long[] shape = Tensors.shape(first);
        long[] extended = Arrays.copyOf(shape, Math.max(shape.length, (int) second.dim()));
        Arrays.fill(extended, shape.length, extended.length, 1);
        return torch.kron(first.reshape(extended), second.contiguous());
    }

    /**
     * A weight whose rows, or columns, have given lengths.
     *
     * @param weight {@code [out, in, ...]}
     * @param lengths {@code out} or {@code in} elements
     * @param ofRows whether a length is that of all that leads to one output
     * @return the weight's shape
     */
    static Tensor withLengths(Tensor weight, Tensor lengths, boolean ofRows) {
        int kept = ofRows ? 0 : 1;
        long[] others = new long[(int) weight.dim() - 1];
        long[] along = new long[(int) weight.dim()];
        int count = 0;
        for (int dim = 0; dim < weight.dim(); dim++) {
            along[dim] = dim == kept ? -1 : 1;
            if (dim != kept) {
                others[count++] = dim;
            }
        }
        Tensor actual = torch.sqrt(torch.sum(torch.square(weight), others, true, new ScalarTypeOptional()));
        return weight.mul(lengths.reshape(along).div(actual.add(new Scalar(Float.MIN_NORMAL))));
    }
}
