package io.tome4j.server.generate;

import io.tome4j.server.http.HttpError;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Images that clients send. */
public final class SentImages {
    private SentImages() {}

    /**
     * The bytes of a text in base64, with or without {@code data:image/png;base64,} before it.
     *
     * @param field what an error calls it
     * @throws HttpError 400 if it is none
     */
    public static byte[] bytes(String text, String field) {
        String base64 = text.strip();
        if (base64.startsWith("data:")) {
            base64 = base64.substring(base64.indexOf(',') + 1);
        } else if (base64.startsWith("http:") || base64.startsWith("https:")) {
            throw HttpError.of(400, field + " is an address: this server fetches none; send the image in base64")
                    .about(field);
        }
        try {
            byte[] bytes = Base64.getMimeDecoder().decode(base64);
            if (bytes.length > 0) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            // the same as nothing
        }
        throw HttpError.of(400, field + " is no image in base64").about(field);
    }

    /**
     * The pixels of an image, whose size is looked at before it is decoded.
     *
     * @throws HttpError 400 if it is no image that can be read, or too large
     */
    public static BufferedImage decode(byte[] bytes, String field) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (readers.hasNext()) {
                ImageReader reader = readers.next();
                try {
                    reader.setInput(in, true, true);
                    long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                    if (pixels > Limits.MOST_PIXELS_SENT) {
                        throw HttpError.of(
                                        400,
                                        field + " has " + reader.getWidth(0) + " x " + reader.getHeight(0)
                                                + " pixels: it may have at most " + Limits.MOST_PIXELS_SENT)
                                .about(field);
                    }
                    return reader.read(0);
                } finally {
                    reader.dispose();
                }
            }
        } catch (HttpError e) {
            throw e;
        } catch (IOException | RuntimeException e) { // readers throw all sorts of what is damaged
            throw HttpError.of(400, field + " is damaged: it cannot be read as an image")
                    .about(field);
        }
        throw HttpError.of(400, field + " is no image that can be read: send a PNG or JPEG")
                .about(field);
    }
}
