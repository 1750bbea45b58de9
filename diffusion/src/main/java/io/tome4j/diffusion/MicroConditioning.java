package io.tome4j.diffusion;

import io.tome4j.tensor.Option;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The numbers besides the prompt that SDXL was trained to see: sizes, crops, and for a refiner an aesthetic score (arXiv
 * 2307.01952, section 2.2). Families without them pass them over. Sizes are written {@code WIDTHxHEIGHT}, crops
 * {@code TOP,LEFT}.
 */
public final class MicroConditioning {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})\\s*x\\s*(\\d{1,6})");
    private static final Pattern CROP = Pattern.compile("(-?\\d{1,6})\\s*,\\s*(-?\\d{1,6})");
    private static final String A_SIZE = "it must be WIDTHxHEIGHT in pixels, such as 1024x1024";
    private static final String A_CROP = "it must be TOP,LEFT in pixels, such as 0,0";

    public static final Option<String> ORIGINAL_SIZE =
            size("original_size", "Original size", "SDXL: the size that the image is to look as if it was made from");

    public static final Option<String> CROPS_COORDS_TOP_LEFT =
            crop("crops_coords_top_left", "Crop", "SDXL: where the image is to look as if it was cut off");

    public static final Option<String> TARGET_SIZE =
            size("target_size", "Target size", "SDXL: the size that the image is to look as if it was made for");

    public static final Option<String> NEGATIVE_ORIGINAL_SIZE = size(
            "negative_original_size",
            "Negative original size",
            "SDXL: the original size that guidance leads away from");

    public static final Option<String> NEGATIVE_CROPS_COORDS_TOP_LEFT = crop(
            "negative_crops_coords_top_left",
            "Negative crop",
            "SDXL: the crop that guidance leads away from, where both negative sizes are given");

    public static final Option<String> NEGATIVE_TARGET_SIZE =
            size("negative_target_size", "Negative target size", "SDXL: the target size that guidance leads away from");

    public static final Option<Double> AESTHETIC_SCORE = score(
            "aesthetic_score",
            6.0,
            "Aesthetic score",
            "SDXL's refiner: how well the image is to be liked, about 1 to 10.");

    public static final Option<Double> NEGATIVE_AESTHETIC_SCORE = score(
            "negative_aesthetic_score",
            2.5,
            "Negative aesthetic score",
            "SDXL's refiner: the score that guidance leads away from.");

    /** All of them, in the order to show them. */
    public static final List<Option<?>> OPTIONS = List.of(
            ORIGINAL_SIZE,
            CROPS_COORDS_TOP_LEFT,
            TARGET_SIZE,
            NEGATIVE_ORIGINAL_SIZE,
            NEGATIVE_CROPS_COORDS_TOP_LEFT,
            NEGATIVE_TARGET_SIZE,
            AESTHETIC_SCORE,
            NEGATIVE_AESTHETIC_SCORE);

    private MicroConditioning() {}

    /** Empty for a size that follows from the image's. */
    private static Option<String> size(String name, String title, String what) {
        return Option.of(name, "")
                .titled(title)
                .described("WIDTHxHEIGHT", what + ".")
                .allowing(text -> text.isEmpty() || SIZE.matcher(text).matches(), A_SIZE);
    }

    private static Option<String> crop(String name, String title, String what) {
        return Option.of(name, "0,0")
                .titled(title)
                .described("TOP,LEFT", what + ".")
                .allowing(text -> CROP.matcher(text).matches(), A_CROP);
    }

    private static Option<Double> score(String name, double usual, String title, String sentence) {
        return Option.of(name, usual)
                .titled(title)
                .described("SCORE", sentence)
                .allowing(score -> Double.isFinite(score), "it must be a number; " + usual + " is usual");
    }

    /**
     * The numbers of a size, height first, as the model sees them.
     *
     * @param otherwise what it is where it was not given
     */
    static double[] heightAndWidth(String size, double... otherwise) {
        Matcher matcher = SIZE.matcher(size);
        return matcher.matches()
                ? new double[] {Double.parseDouble(matcher.group(2)), Double.parseDouble(matcher.group(1))}
                : otherwise;
    }

    /** The numbers of a crop. */
    static double[] topAndLeft(String crop) {
        Matcher matcher = CROP.matcher(crop);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(A_CROP + ", not " + crop);
        }
        return new double[] {Double.parseDouble(matcher.group(1)), Double.parseDouble(matcher.group(2))};
    }
}
