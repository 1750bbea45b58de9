package io.tome4j.diffusion.pixels;

import io.tome4j.tensor.OptionException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Edges of an image (Canny, "A computational approach to edge detection", 1986), the same pixels as OpenCV's {@code Canny} with
 * its defaults: Sobel's derivatives over 3 x 3 pixels, the border repeated; of a colour image those of the channel that changes
 * most; their absolute values added up.
 *
 * @param low a pixel is an edge where it changes by more than this and is joined to one that changes by more than {@code high}
 * @param high at least {@code low}
 */
public record Canny(int low, int high) {
    private static final int SHIFT = 15;

    /** The tangent of 22.5 degrees, times {@code 1 << SHIFT}. */
    private static final long TANGENT = 13573;

    private static final byte EDGE = (byte) 255;

    /** What is neither an edge nor may become one. */
    private static final byte NONE = 0;

    private static final byte WEAK = 1;

    /** @throws OptionException if a threshold is negative, or the first is above the second */
    public Canny {
        if (low < 0 || low > high) {
            throw new OptionException("{control_canny} is " + low + "," + high
                    + ": it must be two thresholds from 0, the lower first, such as 100,200");
        }
    }

    /** White edges on black, grey, of the same size. */
    public Pixels of(Pixels image) {
        Gradients gradients = new Gradients(image);
        int width = image.width();
        byte[] marks = new byte[width * image.height()];
        Deque<Integer> open = new ArrayDeque<>();
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < width; x++) {
                int size = gradients.size(x, y);
                if (size > low && gradients.isRidge(x, y)) {
                    marks[y * width + x] = size > high ? EDGE : WEAK;
                    if (size > high) {
                        open.push(y * width + x);
                    }
                }
            }
        }
        while (!open.isEmpty()) {
            int place = open.pop();
            for (int y = Math.max(0, place / width - 1); y <= Math.min(image.height() - 1, place / width + 1); y++) {
                for (int x = Math.max(0, place % width - 1); x <= Math.min(width - 1, place % width + 1); x++) {
                    if (marks[y * width + x] == WEAK) {
                        marks[y * width + x] = EDGE;
                        open.push(y * width + x);
                    }
                }
            }
        }
        for (int i = 0; i < marks.length; i++) {
            marks[i] = marks[i] == EDGE ? EDGE : NONE;
        }
        return Pixels.grey(width, image.height(), marks);
    }

    /** How each pixel changes to its right and downwards. */
    private static final class Gradients {
        private final int width;
        private final int height;
        private final int[] right;
        private final int[] down;

        Gradients(Pixels image) {
            this.width = image.width();
            this.height = image.height();
            this.right = new int[width * height];
            this.down = new int[width * height];
            for (int band = 0; band < image.bands(); band++) {
                for (int y = 0; y < height; y++) {
                    for (int x = 0; x < width; x++) {
                        int dx = side(image, x + 1, y, 0, 1, band) - side(image, x - 1, y, 0, 1, band);
                        int dy = side(image, x, y + 1, 1, 0, band) - side(image, x, y - 1, 1, 0, band);
                        if (band == 0 || Math.abs(dx) + Math.abs(dy) > size(x, y)) {
                            right[y * width + x] = dx;
                            down[y * width + x] = dy;
                        }
                    }
                }
            }
        }

        /** Three pixels, the middle one twice, along a direction. */
        private static int side(Pixels image, int x, int y, int alongX, int alongY, int band) {
            return at(image, x - alongX, y - alongY, band)
                    + 2 * at(image, x, y, band)
                    + at(image, x + alongX, y + alongY, band);
        }

        private static int at(Pixels image, int x, int y, int band) {
            return image.at(
                    Math.min(Math.max(x, 0), image.width() - 1), Math.min(Math.max(y, 0), image.height() - 1), band);
        }

        /** 0 outside of the image. */
        int size(int x, int y) {
            return x < 0 || y < 0 || x >= width || y >= height
                    ? 0
                    : Math.abs(right[y * width + x]) + Math.abs(down[y * width + x]);
        }

        /** Whether a pixel changes more than its neighbours on both sides, across the edge. */
        boolean isRidge(int x, int y) {
            int dx = right[y * width + x];
            int dy = down[y * width + x];
            int size = size(x, y);
            long steep = (long) Math.abs(dy) << SHIFT;
            long flat = Math.abs(dx) * TANGENT; // below: the edge is upright
            if (steep < flat) {
                return size > size(x - 1, y) && size >= size(x + 1, y);
            }
            if (steep > flat + ((long) Math.abs(dx) << (SHIFT + 1))) {
                return size > size(x, y - 1) && size >= size(x, y + 1);
            }
            int way = (dx ^ dy) < 0 ? -1 : 1;
            return size > size(x - way, y - 1) && size > size(x + way, y + 1);
        }
    }
}
