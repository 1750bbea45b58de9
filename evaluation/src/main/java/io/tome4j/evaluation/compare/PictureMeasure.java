package io.tome4j.evaluation.compare;

import java.awt.image.BufferedImage;
import java.util.function.ToDoubleBiFunction;

/**
 * A measure of how near two pictures of one size are.
 *
 * @param name what it is called: {@code psnr}
 * @param function from the unmerged picture and the merged one
 */
public record PictureMeasure(String name, ToDoubleBiFunction<BufferedImage, BufferedImage> function) {
    double between(BufferedImage unmerged, BufferedImage merged) {
        return function.applyAsDouble(unmerged, merged);
    }
}
