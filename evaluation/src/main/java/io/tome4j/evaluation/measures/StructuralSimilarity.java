package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Structural similarity at one scale and at five, in fp64. */
final class StructuralSimilarity {
    /** Pixels on a side of the window. */
    static final int WINDOW = 11;

    /** What torchmetrics asks for: at the coarsest scale the window is still to fit. */
    static final int SMALLEST_OF_FIVE_SCALES = WINDOW * 16;

    private static final double DEVIATION = 1.5;
    private static final double C1 = Math.pow(0.01 * 255, 2);
    private static final double C2 = Math.pow(0.03 * 255, 2);
    private static final double[] SCALE_WEIGHTS = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

    private StructuralSimilarity() {}

    static double ssim(BufferedImage a, BufferedImage b) {
        try (var scope = TensorScope.open()) {
            return new Moments(channels(a), channels(b)).ssim();
        }
    }

    /**
     * At each of five scales the mean contrast and structure, at the last one the whole similarity, and their weighted
     * product. That last one torchmetrics takes over the image mirrored at its edges.
     */
    static double msSsim(BufferedImage a, BufferedImage b) {
        try (var scope = TensorScope.open()) {
            Tensor first = channels(a);
            Tensor second = channels(b);
            double product = 1;
            for (int scale = 0; scale < SCALE_WEIGHTS.length; scale++) {
                boolean last = scale == SCALE_WEIGHTS.length - 1;
                double similarity = last
                        ? new Moments(mirrored(first), mirrored(second)).ssim()
                        : new Moments(first, second).contrastAndStructure();
                product *= Math.pow(Math.max(0, similarity), SCALE_WEIGHTS[scale]);
                if (!last) {
                    first = torch.avg_pool2d(first, 2, 2);
                    second = torch.avg_pool2d(second, 2, 2);
                }
            }
            return product;
        }
    }

    /** {@code [3, 1, H, W]} fp64, from 0 to 255. */
    private static Tensor channels(BufferedImage image) {
        return PixelTensors.levels(image).to(ScalarType.Double).transpose(0, 1);
    }

    private static Tensor mirrored(Tensor x) {
        long edge = WINDOW / 2;
        return torch.reflection_pad2d(x, edge, edge, edge, edge);
    }

    /** Means, variances and covariance below the window at each place where it fits, all {@code [3, 1, h, w]}. */
    private static final class Moments {
        private final Tensor meanProduct;
        private final Tensor meanSquares;
        private final Tensor variances;
        private final Tensor covariance;

        Moments(Tensor a, Tensor b) {
            Tensor all = filtered(Tensors.cat(0, a, b, a.mul(a), b.mul(b), a.mul(b)));
            long n = a.size(0);
            Tensor meanA = Tensors.slice(all, 0, 0, n);
            Tensor meanB = Tensors.slice(all, 0, n, 2 * n);
            Tensor squareA = meanA.mul(meanA);
            Tensor squareB = meanB.mul(meanB);
            this.meanProduct = meanA.mul(meanB);
            this.meanSquares = squareA.add(squareB);
            // Rounding can make the variance of a plain area a little less than nothing.
            this.variances = torch.relu(Tensors.slice(all, 0, 2 * n, 3 * n).sub(squareA))
                    .add(torch.relu(Tensors.slice(all, 0, 3 * n, 4 * n).sub(squareB)));
            this.covariance = Tensors.slice(all, 0, 4 * n, 5 * n).sub(meanProduct);
        }

        double ssim() {
            return quotient(meanProduct, meanSquares, C1)
                    .mul(quotient(covariance, variances, C2))
                    .mean()
                    .item_double();
        }

        double contrastAndStructure() {
            return quotient(covariance, variances, C2).mean().item_double();
        }

        private static Tensor quotient(Tensor product, Tensor squares, double constant) {
            return product.mul(new Scalar(2.0)).add(new Scalar(constant)).div(squares.add(new Scalar(constant)));
        }
    }

    /** The Gaussian window's mean at each place where it fits, rows first and then columns. */
    private static Tensor filtered(Tensor x) {
        Tensor window = window();
        Tensor rows = convolved(x, window.view(1, 1, 1, WINDOW));
        return convolved(rows, window.view(1, 1, WINDOW, 1));
    }

    private static Tensor convolved(Tensor x, Tensor kernel) {
        long[] one = {1, 1};
        return torch.conv2d(x, kernel, new TensorOptional(), one, new long[] {0, 0}, one, 1);
    }

    private static Tensor window() {
        Tensor offsets = torch.arange(new Scalar(-(WINDOW / 2)), new Scalar(WINDOW / 2 + 1))
                .to(ScalarType.Double);
        Tensor weights = torch.exp(offsets.mul(offsets).mul(new Scalar(-1 / (2 * DEVIATION * DEVIATION))));
        return weights.div(weights.sum());
    }
}
