package io.tome4j.diffusion.pixels;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Reads images as {@code diffusers.utils.load_image} does: turned as their Exif orientation says, then as PIL's {@code
 * convert("RGB")}: alpha and colour profiles are passed over. One thing differs: of grey levels of 16 bits PIL keeps what is
 * above 255 as white; here the upper eight bits count, as they do with colours there.
 */
public final class ImageFiles {
    /** More is no image to begin with, and takes gigabytes: PIL refuses it as well. */
    static final long MOST_PIXELS = 178_956_970;

    private static final long MOST_BYTES = 512L << 20;

    private ImageFiles() {}

    /**
     * Reads a PNG, JPEG or WebP file; what it is its first bytes say, not its name.
     *
     * @return RGB
     * @throws TomeException if it cannot be read, is no such image, is damaged, or is too large for the memory there is;
     *     that is found out before memory is taken
     */
    public static Pixels read(Path file) {
        return read(bytes(file), file.toString());
    }

    /** Reads a mask, as {@link #readMask(byte[], String)}. */
    public static Pixels readMask(Path file) {
        return readMask(bytes(file), file.toString());
    }

    private static byte[] bytes(Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(file + " is a folder, not an image.");
        }
        if (!Files.exists(file)) {
            throw new TomeException("There is no file " + file + ".");
        }
        try {
            long size = Files.size(file);
            if (!Files.isRegularFile(file) || size > MOST_BYTES) {
                throw new TomeException(file + " is no ordinary file of at most " + (MOST_BYTES >> 20)
                        + " MB: name a PNG, JPEG or WebP image.");
            }
            return Files.readAllBytes(file);
        } catch (AccessDeniedException e) {
            throw new TomeException("This user may not read " + file + ".", e);
        } catch (IOException e) {
            throw new TomeException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    /**
     * Reads an image from memory, as {@link #read(Path)}.
     *
     * @param file a PNG, JPEG or WebP file's bytes
     * @param name what to call it in errors
     */
    public static Pixels read(byte[] file, String name) {
        return read(file, name, MOST_PIXELS);
    }

    /**
     * As {@link #read(byte[], String)}, of an image that has no more pixels than so.
     *
     * @param mostPixels what its header may say
     */
    public static Pixels read(byte[] file, String name, long mostPixels) {
        try {
            ImageFormat format = ImageFormat.of(file)
                    .orElseThrow(() -> new TomeException(
                            name + " is not a PNG, JPEG or WebP image: other kinds of files cannot be read."));
            ImageFormat.Header header = format.header(file);
            requireRoom(header, name, Math.min(mostPixels, MOST_PIXELS));
            Pixels pixels = format.decode(file, header);
            if (pixels.width() != header.width() || pixels.height() != header.height()) {
                throw new DamagedImageException("its parts are of different sizes");
            }
            return Orientation.of(header.orientation()).apply(pixels.toRgb());
        } catch (TomeException e) {
            throw e;
        } catch (DamagedImageException e) {
            throw new TomeException(name + " cannot be read as an image: " + e.getMessage() + ".", e);
        } catch (IOException | RuntimeException e) { // decoders trust what they read
            String what = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new TomeException(name + " is damaged: its pixels cannot be decoded (" + what + ").", e);
        }
    }

    /**
     * Reads a mask from memory as image services take them: what is transparent is to be repainted, or, where nothing is
     * transparent, what is white.
     *
     * @param file a PNG, JPEG or WebP file's bytes
     * @param name what to call it in errors
     * @return white where it is to be repainted
     * @throws TomeException as {@link #read(Path)}
     */
    public static Pixels readMask(byte[] file, String name) {
        Pixels colours = read(file, name);
        return opacity(file).map(opacity -> opacity.map(level -> 255 - level)).orElse(colours);
    }

    /**
     * How opaque the pixels of an image are.
     *
     * @param file what {@link #read(byte[], String)} has read
     * @return grey, white where it is wholly opaque; empty if it is so everywhere
     */
    public static Optional<Pixels> opacity(byte[] file) {
        try {
            BufferedImage decoded =
                    ImageIO.read(new MemoryCacheImageInputStream(new ByteArrayInputStream(file))); // no file in between
            if (decoded == null || !decoded.getColorModel().hasAlpha()) {
                return Optional.empty();
            }
            int width = decoded.getWidth();
            byte[] levels = new byte[width * decoded.getHeight()];
            boolean isOpaque = true;
            int[] row = new int[width];
            for (int at = 0; at < levels.length; at++) {
                if (at % width == 0) {
                    decoded.getRGB(0, at / width, width, 1, row, 0, width);
                }
                levels[at] = (byte) (row[at % width] >>> 24);
                isOpaque &= levels[at] == -1;
            }
            if (isOpaque) {
                return Optional.empty();
            }
            int orientation = ImageFormat.of(file).orElseThrow().header(file).orientation();
            return Optional.of(Orientation.of(orientation).apply(Pixels.grey(width, decoded.getHeight(), levels)));
        } catch (IOException | RuntimeException e) { // its colours could be read: readers stumble over other chunks
            return Optional.empty();
        }
    }

    private static void requireRoom(ImageFormat.Header header, String name, long most) {
        long pixels = (long) header.width() * header.height();
        if (pixels > most) {
            throw new TomeException(name + " has " + header.width() + " x " + header.height() + " pixels: at most "
                    + most / 1_000_000 + " million can be read; make it smaller first.");
        }
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
        long needed = pixels * (header.bytesPerPixel() + 3 * 2); // decoded, as RGB, and turned
        if (needed > free) {
            throw new TomeException(name + " has " + header.width() + " x " + header.height() + " pixels, which take "
                    + (needed >> 20) + " MB, and " + (free >> 20)
                    + " MB are free: make it smaller, or give Java more memory (-Xmx).");
        }
    }
}
