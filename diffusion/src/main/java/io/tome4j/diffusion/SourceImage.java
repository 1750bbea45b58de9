package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** An image that a run takes in, or a mask, and what it is known by among the parameters of what comes out. */
public final class SourceImage {
    private final Pixels pixels;
    private final String name;
    private final String sha256;

    private SourceImage(Pixels pixels, String name, String sha256) {
        this.pixels = pixels;
        this.name = name;
        this.sha256 = sha256;
    }

    /**
     * Reads a PNG, JPEG or WebP file; it is known by its name and the SHA-256 of its bytes.
     *
     * @throws TomeException as {@link ImageFiles#read(Path)}
     */
    public static SourceImage read(Path file) {
        Pixels pixels = ImageFiles.read(file);
        return new SourceImage(pixels, String.valueOf(file.getFileName()), sha256(file));
    }

    /** Pixels without a name, known by {@link Pixels#sha256()}. */
    public static SourceImage of(Pixels pixels) {
        return new SourceImage(pixels, "", pixels.sha256());
    }

    /** As {@link #of(Pixels)}, of one of Java's images. */
    public static SourceImage of(BufferedImage image) {
        return of(Pixels.of(image));
    }

    /** The same under another name, such as that of an upload. */
    public SourceImage named(String newName) {
        return new SourceImage(pixels, newName, sha256);
    }

    /** The SHA-256 of a file's bytes, in hexadecimal. */
    public static String sha256(Path file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        } catch (IOException e) {
            throw new TomeException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    public Pixels pixels() {
        return pixels;
    }

    /** A file's name without its folder; empty for pixels that came from elsewhere. */
    public String name() {
        return name;
    }

    /** In hexadecimal: of a file's bytes, or of the pixels where there is none. */
    public String sha256() {
        return sha256;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SourceImage image
                && image.sha256.equals(sha256)
                && image.name.equals(name)
                && image.pixels.equals(pixels);
    }

    @Override
    public int hashCode() {
        return sha256.hashCode();
    }

    @Override
    public String toString() {
        return name.isEmpty() ? "an image of " + pixels : name;
    }
}
