package io.tome4j.diffusion.pixels;

import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * An image of 8-bit values on the Java heap, RGB or grey. Immutable. Rows are stored one after the other, a pixel's bands
 * side by side.
 */
public final class Pixels {
    private final int width;
    private final int height;
    private final int bands;
    private final byte[] values;

    /** Takes the array over. */
    Pixels(int width, int height, int bands, byte[] values) {
        if (width < 1 || height < 1 || values.length != (long) width * height * bands) {
            throw new IllegalArgumentException(
                    width + " x " + height + " pixels of " + bands + " bands are not " + values.length + " values");
        }
        this.width = width;
        this.height = height;
        this.bands = bands;
        this.values = values;
    }

    /**
     * An RGB image.
     *
     * @param values {@code height} rows of {@code width} pixels of red, green and blue; copied
     */
    public static Pixels rgb(int width, int height, byte[] values) {
        return new Pixels(width, height, 3, values.clone());
    }

    /**
     * A grey image.
     *
     * @param values {@code height} rows of {@code width} levels; copied
     */
    public static Pixels grey(int width, int height, byte[] values) {
        return new Pixels(width, height, 1, values.clone());
    }

    /** The colours of one of Java's images, in sRGB; alpha is passed over. */
    public static Pixels of(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] values = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        int[] row = new int[width];
        int at = 0;
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int rgb : row) {
                values[at++] = (byte) (rgb >> 16);
                values[at++] = (byte) (rgb >> 8);
                values[at++] = (byte) rgb;
            }
        }
        return new Pixels(width, height, 3, values);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** 3 for RGB, 1 for grey. */
    public int bands() {
        return bands;
    }

    /** All values, a copy. */
    public byte[] values() {
        return values.clone();
    }

    /** All values, for this package to read. */
    byte[] array() {
        return values;
    }

    /**
     * A value, from 0 to 255.
     *
     * @param band 0 to 2 for red, green and blue
     */
    public int at(int x, int y, int band) {
        return values[(y * width + x) * bands + band] & 0xff;
    }

    /** Whether it has no colours, in whatever form it is kept. */
    public boolean isGrey() {
        for (int i = 0; bands == 3 && i < values.length; i += 3) {
            if (values[i] != values[i + 1] || values[i] != values[i + 2]) {
                return false;
            }
        }
        return true;
    }

    /** As grey: ITU-R 601's luma in fixed point, as PIL's mode {@code L}. */
    public Pixels toGrey() {
        if (bands == 1) {
            return this;
        }
        byte[] grey = new byte[width * height];
        for (int i = 0; i < grey.length; i++) {
            int red = values[3 * i] & 0xff;
            int green = values[3 * i + 1] & 0xff;
            int blue = values[3 * i + 2] & 0xff;
            grey[i] = (byte) ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
        }
        return new Pixels(width, height, 1, grey);
    }

    /** As RGB: grey levels three times. */
    public Pixels toRgb() {
        if (bands == 3) {
            return this;
        }
        byte[] rgb = new byte[3 * values.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = values[i / 3];
        }
        return new Pixels(width, height, 3, rgb);
    }

    /**
     * A part of the image; what lies outside is black.
     *
     * @param box its edges, which may be beyond the image's
     */
    public Pixels crop(Box box) {
        byte[] part = new byte[Math.multiplyExact(bands, Math.multiplyExact(box.width(), box.height()))];
        int from = Math.max(0, box.left());
        int to = Math.min(width, box.right());
        for (int y = Math.max(0, box.top()); y < Math.min(height, box.bottom()) && from < to; y++) {
            int target = (y - box.top()) * box.width() + from - box.left();
            System.arraycopy(values, (y * width + from) * bands, part, target * bands, (to - from) * bands);
        }
        return new Pixels(box.width(), box.height(), bands, part);
    }

    /** The same with another image laid over a place; what of it lies outside is left out. */
    public Pixels withPasted(Pixels other, int left, int top) {
        if (other.bands != bands) {
            throw new IllegalArgumentException("Grey and RGB do not go together");
        }
        byte[] pasted = values.clone();
        int from = Math.max(0, left);
        int to = Math.min(width, left + other.width);
        for (int y = Math.max(0, top); y < Math.min(height, top + other.height) && from < to; y++) {
            int source = (y - top) * other.width + from - left;
            System.arraycopy(other.values, source * bands, pasted, (y * width + from) * bands, (to - from) * bands);
        }
        return new Pixels(width, height, bands, pasted);
    }

    /**
     * Another image laid over this one where a mask is white, mixed where it is grey, as {@code PIL.Image.paste} does.
     *
     * @param other of the same size and bands
     * @param mask grey, of the same size
     */
    public Pixels blend(Pixels other, Pixels mask) {
        if (other.width != width || other.height != height || other.bands != bands) {
            throw new IllegalArgumentException("Images of different sizes cannot be blended");
        }
        if (mask.width != width || mask.height != height || mask.bands != 1) {
            throw new IllegalArgumentException("A mask is grey and has the image's size");
        }
        byte[] mixed = new byte[values.length];
        for (int i = 0; i < mixed.length; i++) {
            int share = mask.values[i / bands] & 0xff;
            int sum = (other.values[i] & 0xff) * share + (values[i] & 0xff) * (255 - share) + 128;
            mixed[i] = (byte) (((sum >> 8) + sum) >> 8); // sum / 255, rounded
        }
        return new Pixels(width, height, bands, mixed);
    }

    /** The same, each value changed. */
    public Pixels map(java.util.function.IntUnaryOperator change) {
        byte[] changed = new byte[values.length];
        for (int i = 0; i < changed.length; i++) {
            changed[i] = (byte) change.applyAsInt(values[i] & 0xff);
        }
        return new Pixels(width, height, bands, changed);
    }

    /** A copy for use with Java's own image classes, {@code TYPE_INT_RGB}. */
    public BufferedImage toBufferedImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                row[x] = at(x, y, 0) << 16 | at(x, y, bands / 2) << 8 | at(x, y, bands - 1);
            }
            image.setRGB(0, y, width, 1, row, 0, width);
        }
        return image;
    }

    /** The SHA-256 of size and values, in hexadecimal: what tells whether two images are the same. */
    public String sha256() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((width + "x" + height + "x" + bands + ":").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(digest.digest(values));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Pixels pixels
                && pixels.width == width
                && pixels.height == height
                && pixels.bands == bands
                && Arrays.equals(pixels.values, values);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return width + " x " + height + (bands == 1 ? " grey" : " RGB") + " pixels";
    }
}
