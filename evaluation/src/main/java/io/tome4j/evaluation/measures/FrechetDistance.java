package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How far two sets of images are apart, by their features as two normal distributions (arXiv 1706.08500, section 2): 0
 * for equal ones. The same number as pytorch-fid's from the same features.
 *
 * <p>It falls with the number of images, so only sets of the same size can be compared; the usual one is in the
 * thousands.
 */
public final class FrechetDistance {
    private FrechetDistance() {}

    /**
     * {@code |mean_a - mean_b|^2 + trace(cov_a + cov_b - 2 sqrt(cov_a cov_b))}, in fp64.
     *
     * <p>With {@code cov_a = A^T A} and {@code cov_b = B^T B} the trace of the root is the sum of the singular values of
     * {@code A B^T}. So no root of a matrix is taken, and a set of fewer images than features, whose covariance has no
     * inverse, needs no exception: there pytorch-fid's own result is exact to about a millionth of its size.
     *
     * @param a the features of each image of one set, as {@link ImageFeatures#of} gives them
     * @param b those of the other
     * @throws TomeException if a set has fewer than two images, or features differ in number or are no numbers
     */
    public static double between(List<float[]> a, List<float[]> b) {
        try (var scope = TensorScope.open()) {
            Distribution first = Distribution.of(a);
            Distribution second = Distribution.of(b);
            if (first.mean().size(0) != second.mean().size(0)) {
                throw new TomeException("The images of one set have "
                        + first.mean().size(0)
                        + " features and those of the other " + second.mean().size(0)
                        + ": take both sets' from the same network.");
            }
            Tensor product = torch.matmul(first.factor(), second.factor().t());
            return squares(first.mean().sub(second.mean()))
                    + squares(first.factor())
                    + squares(second.factor())
                    - 2 * torch.linalg_svdvals(product).sum().item_double();
        }
    }

    private static double squares(Tensor x) {
        return x.mul(x).sum().item_double();
    }

    /**
     * @param mean {@code [D]}
     * @param factor {@code [K, D]}, K at most D: times itself the covariance of a sample, which is divided by one less
     *     than the number of images
     */
    private record Distribution(Tensor mean, Tensor factor) {
        static Distribution of(List<float[]> features) {
            if (features.size() < 2) {
                throw new TomeException(
                        "A Frechet distance needs at least two images in each set; one has " + features.size() + ".");
            }
            int size = features.get(0).length;
            float[] all = new float[features.size() * size];
            for (int i = 0; i < features.size(); i++) {
                float[] row = features.get(i);
                if (row.length != size) {
                    throw new TomeException("The images of a set have " + size + " and " + row.length
                            + " features: the network must give as many for each.");
                }
                for (float value : row) {
                    if (!Float.isFinite(value)) {
                        throw new TomeException("Image " + (i + 1) + " has the feature " + value
                                + ", with which nothing can be computed: is the network made for images in [0, 1]?");
                    }
                }
                System.arraycopy(row, 0, all, i * size, size);
            }
            Tensor rows = Tensors.of(all, features.size(), size).to(ScalarType.Double);
            Tensor mean = rows.mean(0);
            Tensor scaled = rows.sub(mean).div_(new Scalar(Math.sqrt(features.size() - 1.0)));
            return new Distribution(
                    mean, features.size() > size ? torch.linalg_qr(scaled, "r").get1() : scaled);
        }
    }
}
