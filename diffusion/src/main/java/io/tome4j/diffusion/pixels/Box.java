package io.tome4j.diffusion.pixels;

/**
 * A rectangle of pixels.
 *
 * @param left its first column
 * @param top its first row
 * @param right the column after its last, above {@code left}
 * @param bottom the row after its last, above {@code top}
 */
public record Box(int left, int top, int right, int bottom) {
    public Box {
        if (right <= left || bottom <= top) {
            throw new IllegalArgumentException(
                    "The box from " + left + "," + top + " to " + right + "," + bottom + " holds no pixels");
        }
    }

    public int width() {
        return right - left;
    }

    public int height() {
        return bottom - top;
    }
}
