package io.tome4j.models.clip;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.InterpolateFuncOptions;
import org.bytedeco.pytorch.InterpolateMode;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.LongVectorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.kBicubic;

/**
 * Makes of an image what CLIP's encoder takes: its shortest side brought to size, the middle cut out, each channel
 * normalised. Computes the same as {@code transformers.CLIPImageProcessor}, whose bicubic interpolation this one's is, too.
 */
final class ClipImageProcessor {
    private static final int BICUBIC = 3; // as Pillow numbers them

    /** Of the channels of the images that CLIP was trained with. */
    private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};

    private static final double[] DEVIATION = {0.26862954, 0.26130258, 0.27577711};

    private final int shortestSide;
    private final int cropHeight;
    private final int cropWidth;
    private final double factor;
    private final float[] mean;
    private final float[] deviation;

    /** Reads {@code preprocessor_config.json}. */
    ClipImageProcessor(Config config) {
        for (String step :
                new String[] {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"}) {
            config.only(step, true);
        }
        config.only("resample", BICUBIC);
        config.ignore("feature_extractor_type", "image_processor_type", "processor_class", "use_square_size");
        config.ignore("data_format", "device", "input_data_format", "return_tensors", "disable_grouping");
        config.only("default_to_square", false);
        config.only("do_pad", false);
        config.absent("pad_size");
        if (config.isObject("size")) {
            Config size = config.object("size");
            this.shortestSide = size.integer("shortest_edge");
            size.requireAllRead();
        } else {
            this.shortestSide = config.integer("size");
        }
        if (config.isObject("crop_size")) {
            Config crop = config.object("crop_size");
            this.cropHeight = crop.integer("height");
            this.cropWidth = crop.integer("width");
            crop.requireAllRead();
        } else {
            this.cropHeight = config.integer("crop_size");
            this.cropWidth = cropHeight;
        }
        if (shortestSide < Math.max(cropHeight, cropWidth) || Math.min(cropHeight, cropWidth) < 1) {
            throw config.unsupported("crop_size", "what fits into size, " + shortestSide);
        }
        this.factor = config.number("rescale_factor", 1.0 / 255);
        this.mean = channels(config, "image_mean");
        this.deviation = channels(config, "image_std");
        config.requireAllRead();
    }

    /**
     * What transformers does without a config.
     *
     * @param size of the square that is made of an image, in pixels
     */
    ClipImageProcessor(int size) {
        this.shortestSide = size;
        this.cropHeight = size;
        this.cropWidth = size;
        this.factor = 1.0 / 255;
        this.mean = floats(MEAN);
        this.deviation = floats(DEVIATION);
    }

    private static float[] channels(Config config, String key) {
        double[] values = config.numbers(key);
        if (values.length != 3) {
            throw config.unsupported(key, "a number for each of three channels");
        }
        return floats(values);
    }

    private static float[] floats(double[] values) {
        return new float[] {(float) values[0], (float) values[1], (float) values[2]};
    }

    int height() {
        return cropHeight;
    }

    int width() {
        return cropWidth;
    }

    /** {@code [1, 3, height, width]} fp32 on the CPU; an image's alpha is passed over. */
    Tensor process(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            int shorter = Math.min(image.getWidth(), image.getHeight());
            int height = (int) ((long) shortestSide * image.getHeight() / shorter);
            int width = (int) ((long) shortestSide * image.getWidth() / shorter);
            Tensor resized = resized(levels(image), height, width);
            int top = (height - cropHeight) / 2;
            int left = (width - cropWidth) / 2;
            Tensor cut = Tensors.slice(Tensors.slice(resized, 2, top, top + cropHeight), 3, left, left + cropWidth);
            Tensor values = cut.to(ScalarType.Float).mul(new Scalar(factor));
            return scope.release(values.sub(Tensors.of(mean, 1, 3, 1, 1))
                    .div(Tensors.of(deviation, 1, 3, 1, 1))
                    .contiguous());
        }
    }

    /** In whole levels before and after, because it is images that are interpolated there. */
    private static Tensor resized(Tensor levels, long height, long width) {
        if (levels.size(2) == height && levels.size(3) == width) {
            return levels;
        }
        InterpolateFuncOptions options = new InterpolateFuncOptions();
        LongVector size = new LongVector(2);
        size.put(0, height).put(1, width);
        options.size().put(new LongVectorOptional(size));
        options.mode().put(new InterpolateMode(new kBicubic()));
        options.align_corners().put(new BoolOptional(false));
        options.antialias().put(true);
        return torch.interpolate(levels, options);
    }

    /** {@code [1, 3, H, W]} uint8. */
    private static Tensor levels(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        int[] pixels = image.getRGB(0, 0, width, height, null, 0, width);
        float[] values = new float[3 * pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            for (int channel = 0; channel < 3; channel++) {
                values[channel * pixels.length + i] = (pixels[i] >> (16 - 8 * channel)) & 0xff;
            }
        }
        return Tensors.of(values, 1, 3, height, width).to(ScalarType.Byte);
    }
}
