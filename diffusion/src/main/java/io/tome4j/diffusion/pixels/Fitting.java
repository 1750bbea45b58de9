package io.tome4j.diffusion.pixels;

import java.util.Optional;

/** Brings a part of an image to a size and back, as {@code diffusers.VaeImageProcessor} does for cropped inpainting. */
public final class Fitting {
    private Fitting() {}

    /**
     * The part of an image to work on: the box around all that is not black in a mask, grown by a padding, then to the aspect
     * of the size to work at as far as the image goes.
     *
     * @param mask grey, of the image's size
     * @param width of the size to work at
     * @param height likewise
     * @param padding pixels, at least 0
     * @return the box; empty if all is black
     */
    public static Optional<Box> around(Pixels mask, int width, int height, int padding) {
        int left = mask.width();
        int right = 0;
        int top = mask.height();
        int bottom = 0;
        for (int y = 0; y < mask.height(); y++) {
            for (int x = 0; x < mask.width(); x++) {
                if (mask.at(x, y, 0) != 0) {
                    left = Math.min(left, x);
                    right = Math.max(right, x + 1);
                    top = Math.min(top, y);
                    bottom = Math.max(bottom, y + 1);
                }
            }
        }
        if (right == 0) {
            return Optional.empty();
        }
        Side columns = Side.padded(left, right, padding, mask.width());
        Side rows = Side.padded(top, bottom, padding, mask.height());
        double aspect = (double) width / height;
        if ((double) columns.length() / rows.length() > aspect) {
            rows = rows.grown((int) (columns.length() / aspect - rows.length()), mask.height());
        } else {
            columns = columns.grown((int) (rows.length() * aspect - columns.length()), mask.width());
        }
        return Optional.of(new Box(columns.from, rows.from, columns.to, rows.to));
    }

    /** From a pixel to the one after the last. */
    private record Side(int from, int to) {
        static Side padded(int from, int to, int padding, int limit) {
            return new Side(Math.max(from - padding, 0), Math.min(to + padding, limit));
        }

        int length() {
            return to - from;
        }

        /** Longer by so much, evenly on both sides as far as the limits allow. */
        Side grown(int by, int limit) {
            int start = from - by / 2;
            int end = to + by - by / 2;
            if (end >= limit) {
                start -= end - limit;
                end = limit;
            }
            if (start < 0) {
                end -= start;
                start = 0;
            }
            return new Side(start, Math.min(end, limit));
        }
    }

    /**
     * The whole image within a size, its aspect kept; what is empty beside it is filled with the colours of its edges.
     *
     * @param image RGB
     */
    public static Pixels fill(Pixels image, int width, int height) {
        double ratio = (double) width / height;
        double own = (double) image.width() / image.height();
        int innerWidth = ratio < own ? width : (int) ((long) image.width() * height / image.height());
        int innerHeight = ratio >= own ? height : (int) ((long) image.height() * width / image.width());
        Pixels inner = Resampling.LANCZOS.resize(image, innerWidth, innerHeight);
        int left = width / 2 - innerWidth / 2;
        int top = height / 2 - innerHeight / 2;
        Pixels filled = black(width, height).withPasted(inner, left, top);
        Resampling edge = Resampling.BICUBIC;
        if (ratio < own && top > 0) {
            Pixels above = edge.resize(inner, 0, width, 0, 0, width, top);
            Pixels below = edge.resize(inner, 0, width, innerHeight, innerHeight, width, top);
            return filled.withPasted(above, 0, 0).withPasted(below, 0, top + innerHeight);
        }
        if (ratio > own && left > 0) {
            Pixels before = edge.resize(inner, 0, 0, 0, height, left, height);
            Pixels after = edge.resize(inner, innerWidth, innerWidth, 0, height, left, height);
            return filled.withPasted(before, 0, 0).withPasted(after, left + innerWidth, 0);
        }
        return filled;
    }

    /**
     * The middle of an image at a size, its aspect kept.
     *
     * @param image RGB
     */
    public static Pixels crop(Pixels image, int width, int height) {
        double ratio = (double) width / height;
        double own = (double) image.width() / image.height();
        int outerWidth = ratio > own ? width : (int) ((long) image.width() * height / image.height());
        int outerHeight = ratio <= own ? height : (int) ((long) image.height() * width / image.width());
        Pixels outer = Resampling.LANCZOS.resize(image, outerWidth, outerHeight);
        return black(width, height).withPasted(outer, width / 2 - outerWidth / 2, height / 2 - outerHeight / 2);
    }

    private static Pixels black(int width, int height) {
        return new Pixels(width, height, 3, new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))]);
    }
}
