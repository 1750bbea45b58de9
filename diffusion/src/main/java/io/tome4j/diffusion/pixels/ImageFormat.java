package io.tome4j.diffusion.pixels;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** A kind of image file. */
interface ImageFormat {
    /** All kinds. */
    List<ImageFormat> ALL = List.of(new PngFormat(), new JpegFormat(), new WebpFormat());

    /**
     * What a file says of its image before it is decoded.
     *
     * @param width pixels, at least 1
     * @param height pixels, at least 1
     * @param bytesPerPixel what the decoder holds of a pixel
     * @param orientation as Exif counts, from 1; any other number is none
     */
    record Header(int width, int height, int bytesPerPixel, int orientation) {
        public Header {
            if (width < 1 || height < 1) {
                throw new IllegalArgumentException("its size is " + width + " x " + height);
            }
        }
    }

    /** Whether a file that begins so is one. */
    boolean begins(byte[] file);

    /** @throws DamagedImageException if it has none */
    Header header(byte[] file) throws IOException;

    /** The pixels, not turned; grey or RGB. */
    Pixels decode(byte[] file, Header header) throws IOException;

    /** The kind of a file. */
    static Optional<ImageFormat> of(byte[] file) {
        return ALL.stream().filter(format -> format.begins(file)).findFirst();
    }

    /** Whether ASCII text stands at a place. */
    static boolean isAt(byte[] bytes, int from, String ascii) {
        byte[] wanted = ascii.getBytes(StandardCharsets.ISO_8859_1);
        return from >= 0
                && bytes.length - from >= wanted.length
                && Arrays.equals(bytes, from, from + wanted.length, wanted, 0, wanted.length);
    }

    /** What a reader does with a file. */
    @FunctionalInterface
    interface Decoding<T> {
        T of(ImageReader reader) throws IOException;
    }

    /**
     * Decodes with one of Java's readers, to which a file that ends too early is worth a warning.
     *
     * @throws DamagedImageException if it warned
     */
    static <T> T decode(ImageReader reader, byte[] file, Decoding<T> decoding) throws IOException {
        List<String> warnings = new ArrayList<>();
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
            reader.setInput(in, true, true);
            T decoded = decoding.of(reader);
            for (String warning : warnings) {
                if (warning.contains("Truncated") || warning.contains("Premature")) {
                    throw new DamagedImageException("it is truncated, its pixels end before the image does");
                }
            }
            return decoded;
        } finally {
            reader.dispose();
        }
    }
}
