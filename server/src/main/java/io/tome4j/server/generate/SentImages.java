package io.tome4j.server.generate;

import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.server.http.HttpError;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import java.util.Base64;

/** Images that clients send: read as the library reads files, so that the same file gives the same image by whichever way. */
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
     * The pixels of a PNG, JPEG or WebP file, whose size is looked at before it is decoded; alpha is passed over.
     *
     * @return RGB
     * @throws HttpError 400 if it is no image that can be read, or too large
     */
    public static Pixels pixels(byte[] file, String field) {
        try {
            return ImageFiles.read(file, field, Limits.MOST_PIXELS_SENT);
        } catch (TomeException e) {
            throw HttpError.of(400, String.valueOf(e.getMessage())).about(field);
        }
    }

    /** As {@link #pixels}, transparent parts being white. */
    public static Pixels onWhite(byte[] file, String field) {
        Pixels image = pixels(file, field);
        return ImageFiles.opacity(file)
                .map(alpha -> white(image).blend(image, alpha))
                .orElse(image);
    }

    private static Pixels white(Pixels like) {
        byte[] values = new byte[3 * like.width() * like.height()];
        Arrays.fill(values, (byte) 255);
        return Pixels.rgb(like.width(), like.height(), values);
    }

    /**
     * A mask, white where the image is painted anew. What is transparent in part says so by that, and else by being light.
     *
     * @param transparentIsPainted whether transparent parts are painted anew, or the others
     * @return grey
     */
    public static Pixels mask(byte[] file, String field, boolean transparentIsPainted) {
        Pixels image = pixels(file, field);
        return ImageFiles.opacity(file)
                .map(alpha -> transparentIsPainted ? alpha.map(level -> 255 - level) : alpha)
                .orElseGet(image::toGrey);
    }
}
