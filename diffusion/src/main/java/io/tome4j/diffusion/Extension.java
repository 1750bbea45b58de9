package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Box;
import io.tome4j.diffusion.pixels.Pixels;

/**
 * How many pixels are painted anew around an image.
 *
 * @param left at least 0, as the others
 */
record Extension(int left, int top, int right, int bottom) {
    private static final int MOST = 1 << 14;
    private static final Extension NONE = new Extension(0, 0, 0, 0);

    /** What a request asks for. */
    static Extension of(Request request) {
        String text = request.extend();
        return text.isEmpty() ? NONE : parse(text);
    }

    /** Whether a text is four numbers with commas between. */
    static boolean isOne(String text) {
        if (text.isEmpty()) {
            return true;
        }
        if (!text.matches("\\d{1,5}(,\\d{1,5}){3}")) {
            return false;
        }
        Extension extension = parse(text);
        return Math.max(Math.max(extension.left, extension.right), Math.max(extension.top, extension.bottom)) <= MOST;
    }

    private static Extension parse(String text) {
        String[] numbers = text.split(",", -1);
        return new Extension(
                Integer.parseInt(numbers[0]),
                Integer.parseInt(numbers[1]),
                Integer.parseInt(numbers[2]),
                Integer.parseInt(numbers[3]));
    }

    boolean isNone() {
        return equals(NONE);
    }

    /** The larger image; what is new goes on as the nearest edge is, so that the model has colours to begin with. */
    Pixels around(Pixels image) {
        int width = left + image.width() + right;
        int height = top + image.height() + bottom;
        byte[] values = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        int at = 0;
        for (int y = 0; y < height; y++) {
            int row = Math.min(image.height() - 1, Math.max(0, y - top));
            for (int x = 0; x < width; x++) {
                int column = Math.min(image.width() - 1, Math.max(0, x - left));
                for (int band = 0; band < 3; band++) {
                    values[at++] = (byte) image.at(column, row, band);
                }
            }
        }
        return Pixels.rgb(width, height, values);
    }

    /** The larger mask: what is new is white. */
    Pixels around(int width, int height, Pixels mask) {
        Box all = new Box(-left, -top, width + right, height + bottom);
        Pixels white = mask.crop(all).map(value -> 255);
        return white.withPasted(mask, left, top);
    }
}
