package io.tome4j.evaluation.run;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.imageio.ImageIO;

/** Writes files that are there whole, or not at all. */
public final class WholeFile {
    private static final String PART = ".part";

    private WholeFile() {}

    /**
     * Writes an image as a PNG, beside its place and renamed.
     *
     * @throws TomeException if it cannot be written
     */
    public static void writePng(Path file, BufferedImage image) {
        try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            ImageIO.write(image, "png", png);
            write(file, png.toByteArray());
        } catch (IOException e) {
            throw new TomeException("The image cannot be written to " + file + ": " + e + ".", e);
        }
    }

    /** Whether it is what a process that was killed left of a file. */
    static boolean isPart(Path file) {
        return file.toString().endsWith(PART);
    }

    /** Writes beside the file's place and renames; what is there is replaced. */
    public static void write(Path file, byte[] content) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path part = absolute.resolveSibling(
                absolute.getFileName() + "." + Long.toString(System.nanoTime(), Character.MAX_RADIX) + PART);
        try {
            Files.write(part, content);
            try {
                Files.move(part, absolute, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
