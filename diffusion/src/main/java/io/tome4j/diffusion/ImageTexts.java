package io.tome4j.diffusion;

import io.tome4j.tensor.TomeException;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * The generation parameters in an image of any kind that programs keep them in: a PNG's text under the key {@code
 * parameters}, the Exif comment of a JPEG or WebP. What a file is its first bytes say, not its name.
 */
final class ImageTexts {
    /** More is not a prompt: a limit for every part that is read into memory. */
    static final int LONGEST = 16 << 20;

    private static final int SIGNATURE_BYTES = 12;

    private ImageTexts() {}

    /**
     * The text as it stands.
     *
     * @throws TomeException if the file cannot be read, is no such image, is damaged, or has no such text
     */
    static String read(Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(file + " is a folder, not an image.");
        }
        if (!Files.exists(file)) {
            throw new TomeException("There is no file " + file + ".");
        }
        if (!Files.isRegularFile(file)) {
            throw new TomeException(file + " is no ordinary file: name an image.");
        }
        try (InputStream stream = Files.newInputStream(file)) {
            return read(file.toString(), stream, Files.size(file));
        } catch (AccessDeniedException e) {
            throw new TomeException("This user may not read " + file + ".", e);
        } catch (IOException e) {
            throw new TomeException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    /** As {@link #read(Path)}, of an image in memory. */
    static String read(byte[] image) {
        return read("The image", new ByteArrayInputStream(image), image.length);
    }

    private static String read(String name, InputStream stream, long size) {
        try (DataInputStream in = new DataInputStream(stream)) {
            return text(name, in, size)
                    .orElseThrow(() -> new TomeException(name
                            + " carries no generation parameters: it was not made by tome4j or the like, or another"
                            + " program that saved it has dropped them."));
        } catch (EOFException e) {
            throw new TomeException(name + " is damaged: it ends before the image does.", e);
        } catch (IOException e) {
            throw new TomeException(name + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static Optional<String> text(String name, DataInputStream in, long size) throws IOException {
        byte[] start = in.readNBytes(2);
        if (JpegFiles.begins(start)) {
            return JpegFiles.readText(in);
        }
        byte[] signature = Arrays.copyOf(start, SIGNATURE_BYTES);
        int length = start.length + in.readNBytes(signature, start.length, PngFiles.SIGNATURE_BYTES - start.length);
        if (PngFiles.begins(signature)) {
            return PngFiles.readText(in, size);
        }
        length += in.readNBytes(signature, length, SIGNATURE_BYTES - length);
        if (WebpFiles.begins(signature)) {
            return WebpFiles.readText(in, size);
        }
        throw new TomeException(name + " is not a PNG, JPEG or WebP image; parameters are kept in those only.");
    }

    /** Exactly so many bytes. */
    static byte[] readExactly(DataInputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        return bytes;
    }

    /** Whether bytes at a place are those of an ASCII text. */
    static boolean isAt(byte[] bytes, int from, String ascii) {
        byte[] wanted = ascii.getBytes(StandardCharsets.US_ASCII);
        return from >= 0
                && bytes.length - from >= wanted.length
                && Arrays.equals(bytes, from, from + wanted.length, wanted, 0, wanted.length);
    }
}
