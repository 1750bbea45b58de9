package io.tome4j.diffusion;

import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.DoubleStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The numbers that SDXL's UNets see besides text, as diffusers' pipelines make them: those of text to image and those of
 * image to image differ in what is negative, and in the order of rows.
 *
 * @param aesthetic whether the model wants an aesthetic score in place of the target size, as refiners do
 */
record TimeIds(boolean aesthetic) {
    private static final int SIZES = 6;
    private static final int WITH_SCORE = 5;

    /** How many numbers a row has. */
    int count() {
        return aesthetic ? WITH_SCORE : SIZES;
    }

    /**
     * The rows of a run.
     *
     * @param request with its size set
     * @param negative whether there are rows of the negative prompt
     * @param continues whether the run begins with an image, or goes on from another run's latents
     * @return {@code [rows, count]} fp32: {@code images} rows, with negative ones {@code 2 * images}
     */
    Tensor of(Request request, boolean negative, boolean continues) {
        boolean asFromImages = continues || aesthetic;
        double[] positiveIds = positive(request);
        double[] negativeIds = asFromImages ? negativeFromImage(request) : negativeFromText(request);
        List<double[]> rows = new ArrayList<>();
        int images = request.images();
        if (!negative) {
            rows.addAll(Collections.nCopies(images, positiveIds));
        } else if (asFromImages) {
            rows.addAll(Collections.nCopies(images, negativeIds));
            rows.addAll(Collections.nCopies(images, positiveIds));
        } else {
            // The reference repeats the pair, so that with several images and other negative sizes its rows are not in
            // the
            // order of the embeddings' rows; so are not ours.
            for (int i = 0; i < images; i++) {
                rows.addAll(List.of(negativeIds, positiveIds));
            }
        }
        return tensor(rows);
    }

    private Tensor tensor(List<double[]> rows) {
        float[] values = new float[rows.size() * count()];
        int at = 0;
        for (double[] row : rows) {
            for (double value : row) {
                values[at++] = (float) value;
            }
        }
        return Tensors.of(values, rows.size(), count());
    }

    /**
     * The rows of a batch whose negative ones come first.
     *
     * @param negatives how many there are
     * @param rows in all
     * @return {@code [rows, count]} fp32
     */
    Tensor inOrder(Request request, int negatives, int rows, boolean continues) {
        boolean asFromImages = continues || aesthetic;
        List<double[]> all = new ArrayList<>(
                Collections.nCopies(negatives, asFromImages ? negativeFromImage(request) : negativeFromText(request)));
        all.addAll(Collections.nCopies(rows - negatives, positive(request)));
        return tensor(all);
    }

    private double[] positive(Request request) {
        double[] crop = MicroConditioning.topAndLeft(request.get(MicroConditioning.CROPS_COORDS_TOP_LEFT));
        return aesthetic
                ? joined(original(request), crop, new double[] {request.get(MicroConditioning.AESTHETIC_SCORE)})
                : joined(original(request), crop, target(request));
    }

    /** Other than the positive ones only where both sizes are given. */
    private double[] negativeFromText(Request request) {
        double[] original = MicroConditioning.heightAndWidth(request.get(MicroConditioning.NEGATIVE_ORIGINAL_SIZE));
        double[] target = MicroConditioning.heightAndWidth(request.get(MicroConditioning.NEGATIVE_TARGET_SIZE));
        return original.length == 0 || target.length == 0
                ? positive(request)
                : joined(original, negativeCrop(request), target);
    }

    /** With a target size the crop is the positive one: a slip of the reference, diffusers#14676. */
    private double[] negativeFromImage(Request request) {
        double[] original = MicroConditioning.heightAndWidth(
                request.get(MicroConditioning.NEGATIVE_ORIGINAL_SIZE), original(request));
        return aesthetic
                ? joined(original, negativeCrop(request), new double[] {
                    request.get(MicroConditioning.NEGATIVE_AESTHETIC_SCORE)
                })
                : joined(
                        original,
                        MicroConditioning.topAndLeft(request.get(MicroConditioning.CROPS_COORDS_TOP_LEFT)),
                        MicroConditioning.heightAndWidth(
                                request.get(MicroConditioning.NEGATIVE_TARGET_SIZE), target(request)));
    }

    private static double[] original(Request request) {
        return MicroConditioning.heightAndWidth(
                request.get(MicroConditioning.ORIGINAL_SIZE), request.height(), request.width());
    }

    private static double[] target(Request request) {
        return MicroConditioning.heightAndWidth(
                request.get(MicroConditioning.TARGET_SIZE), request.height(), request.width());
    }

    private static double[] negativeCrop(Request request) {
        return MicroConditioning.topAndLeft(request.get(MicroConditioning.NEGATIVE_CROPS_COORDS_TOP_LEFT));
    }

    private static double[] joined(double[]... parts) {
        return Arrays.stream(parts).flatMapToDouble(DoubleStream::of).toArray();
    }
}
