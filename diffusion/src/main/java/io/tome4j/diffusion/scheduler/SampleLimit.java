package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/** Keeps predicted images within bounds: by clipping, by dynamic thresholding (arXiv 2205.11487, section 2.3) or not at all. */
final class SampleLimit {
    private enum Way {
        NONE,
        CLIP,
        THRESHOLD
    }

    /** Leaves predicted images as they are. */
    static final SampleLimit NONE = new SampleLimit(Way.NONE, 1, 1);

    private final Way way;
    private final double ratio; // the share of values that thresholding leaves alone
    private final double bound;

    private SampleLimit(Way way, double ratio, double bound) {
        this.way = way;
        this.ratio = ratio;
        this.bound = bound;
    }

    /** Reads {@code clip_sample} and {@code clip_sample_range}. */
    static SampleLimit readClip(Config config, boolean absent) {
        double range = config.positive("clip_sample_range", 1);
        return new SampleLimit(config.flag("clip_sample", absent) ? Way.CLIP : Way.NONE, 1, range);
    }

    /** Reads {@code thresholding}, {@code dynamic_thresholding_ratio} and {@code sample_max_value}. */
    static SampleLimit readThreshold(Config config) {
        double ratio = config.number("dynamic_thresholding_ratio", 0.995);
        if (!(ratio >= 0 && ratio <= 1)) {
            throw config.unsupported("dynamic_thresholding_ratio", "0 to 1");
        }
        double most = config.positive("sample_max_value", 1);
        return new SampleLimit(config.flag("thresholding", false) ? Way.THRESHOLD : Way.NONE, ratio, most);
    }

    /** Reads both kinds, of which thresholding goes first. */
    static SampleLimit read(Config config, boolean clipAbsent) {
        SampleLimit clip = readClip(config, clipAbsent);
        SampleLimit threshold = readThreshold(config);
        return threshold.way == Way.THRESHOLD ? threshold : clip;
    }

    /** Whether predicted images are left as they are, even infinite. */
    boolean isNone() {
        return way == Way.NONE;
    }

    /** The predicted image, {@code [B, 4, H, W]}, within bounds. */
    Tensor apply(Tensor image) {
        return switch (way) {
            case NONE -> image;
            case CLIP -> clamp(image, -bound, bound);
            case THRESHOLD -> threshold(image);
        };
    }

    private Tensor threshold(Tensor image) {
        long batch = image.size(0);
        Tensor flat = image.reshape(batch, image.numel() / batch); // [B, 4*H*W]
        Tensor quantile = flat.abs().quantile(ratio, new LongOptional(1), true, "linear"); // [B, 1]
        Tensor most = clamp(quantile, 1, bound);
        return flat.clamp(new TensorOptional(most.neg()), new TensorOptional(most))
                .div(most)
                .reshape_as(image);
    }

    private static Tensor clamp(Tensor x, double least, double most) {
        return x.clamp(new ScalarOptional(new Scalar(least)), new ScalarOptional(new Scalar(most)));
    }
}
