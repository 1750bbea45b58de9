package io.tome4j.diffusion;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import javax.imageio.ImageIO;

/**
 * PNG files that carry a text under the key {@code parameters}, where A1111's web UI and PIL look for it: a {@code tEXt}
 * chunk where Latin-1 can say it, else {@code iTXt} (PNG specification, section 11.3.3).
 */
final class PngFiles {
    private static final String KEY = "parameters";

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    /** The signature and the header chunk, which is always the first and always this long. */
    private static final int HEADER_BYTES = SIGNATURE.length + 25;

    /** More is not a prompt: a limit for what a compressed chunk may unpack to. */
    private static final int LONGEST_TEXT = 16 << 20;

    private PngFiles() {}

    /**
     * Writes the whole file beside its place and renames it.
     *
     * @throws TomeException if that cannot be done; then nothing is left behind
     */
    static void write(BufferedImage image, String parameters, Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(
                    "The image cannot be written to " + file + ": that is a folder; name a file in it.");
        }
        Path absolute = file.toAbsolutePath();
        Path part = absolute.resolveSibling(
                absolute.getFileName() + "." + Long.toString(System.nanoTime(), Character.MAX_RADIX) + ".part");
        try {
            try {
                Files.write(part, encode(image, parameters));
                moveIntoPlace(part, absolute);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    private static void moveIntoPlace(Path part, Path file) throws IOException {
        try {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static byte[] encode(BufferedImage image, String parameters) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(image, "png", plain);
        byte[] png = plain.toByteArray();
        ByteArrayOutputStream out = new ByteArrayOutputStream(png.length + parameters.length() + 64);
        out.write(png, 0, HEADER_BYTES);
        if (!parameters.isEmpty()) {
            writeText(parameters, new DataOutputStream(out));
        }
        out.write(png, HEADER_BYTES, png.length - HEADER_BYTES);
        return out.toByteArray();
    }

    private static void writeText(String text, DataOutputStream out) throws IOException {
        boolean latin1 = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
        ByteArrayOutputStream chunk = new ByteArrayOutputStream();
        chunk.writeBytes((latin1 ? "tEXt" : "iTXt").getBytes(StandardCharsets.ISO_8859_1));
        chunk.writeBytes(KEY.getBytes(StandardCharsets.ISO_8859_1));
        chunk.write(0);
        if (!latin1) {
            chunk.writeBytes(new byte[4]); // not compressed, method 0, no language, no translated key
        }
        chunk.writeBytes(text.getBytes(latin1 ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
        byte[] bytes = chunk.toByteArray();
        out.writeInt(bytes.length - 4);
        out.write(bytes);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        out.writeInt((int) crc.getValue());
    }

    static TomeException cannotWrite(Path file, IOException e) {
        String why;
        if (e instanceof NoSuchFileException) {
            Path folder = file.toAbsolutePath().getParent();
            why = "the folder " + folder + " does not exist; make it first";
        } else if (e instanceof AccessDeniedException) {
            why = "this user may not write there; choose another place, or give it the permission";
        } else if (e instanceof FileSystemException system && system.getReason() != null) {
            why = decapitalize(system.getReason());
        } else {
            why = decapitalize(String.valueOf(e.getMessage()));
        }
        return new TomeException("The image cannot be written to " + file + ": " + why + ".", e);
    }

    private static String decapitalize(String reason) {
        return reason.isEmpty() ? reason : Character.toLowerCase(reason.charAt(0)) + reason.substring(1);
    }

    /**
     * The text under the key {@code parameters}.
     *
     * @throws TomeException if the file cannot be read, is not a PNG, is damaged, or has no such text
     */
    static String readParameters(Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(file + " is a folder, not an image.");
        }
        try (InputStream stream = Files.newInputStream(file);
                DataInputStream in = new DataInputStream(stream)) {
            if (!Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE)) {
                throw new TomeException(file + " is not a PNG image; parameters are kept in PNG files only.");
            }
            return readText(in, Files.size(file))
                    .orElseThrow(() -> new TomeException(file
                            + " carries no generation parameters: it was not made by tome4j or the like, or another"
                            + " program that saved it has dropped them."));
        } catch (NoSuchFileException e) {
            throw new TomeException("There is no file " + file + ".", e);
        } catch (AccessDeniedException e) {
            throw new TomeException("This user may not read " + file + ".", e);
        } catch (EOFException e) {
            throw new TomeException(file + " is damaged: it ends before the image does.", e);
        } catch (IOException e) {
            throw new TomeException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static Optional<String> readText(DataInputStream in, long fileSize) throws IOException {
        while (true) {
            int length = in.readInt();
            String type = new String(readExactly(in, 4), StandardCharsets.ISO_8859_1);
            if (length < 0 || length > fileSize) {
                throw new EOFException();
            }
            if (type.equals("IEND")) {
                return Optional.empty();
            }
            if (!type.equals("tEXt") && !type.equals("iTXt") && !type.equals("zTXt")) {
                in.skipNBytes(length + 4L);
                continue;
            }
            byte[] chunk = readExactly(in, length);
            CRC32 crc = new CRC32();
            crc.update(type.getBytes(StandardCharsets.ISO_8859_1));
            crc.update(chunk);
            if (in.readInt() != (int) crc.getValue()) {
                throw new IOException("the checksum of its " + type + " chunk is wrong, it is damaged");
            }
            int keyEnd = endOfString(chunk, 0);
            if (new String(chunk, 0, keyEnd, StandardCharsets.ISO_8859_1).equals(KEY)) {
                return Optional.of(decode(type, chunk, keyEnd + 1));
            }
        }
    }

    private static String decode(String type, byte[] chunk, int from) throws IOException {
        if (type.equals("tEXt")) {
            return new String(rest(chunk, from), StandardCharsets.ISO_8859_1);
        }
        if (type.equals("zTXt")) { // after the key: the method of compression, of which there is one
            return new String(inflate(rest(chunk, from + 1)), StandardCharsets.ISO_8859_1);
        }
        // iTXt, after the key: compressed or not, the method, the language, the translated key
        byte[] afterFlags = rest(chunk, from + 2);
        int languageEnd = endOfString(afterFlags, 0);
        int translatedKeyEnd = endOfString(afterFlags, languageEnd + 1);
        byte[] text = rest(afterFlags, translatedKeyEnd + 1);
        return new String(chunk[from] == 0 ? text : inflate(text), StandardCharsets.UTF_8);
    }

    private static byte[] inflate(byte[] packed) throws IOException {
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(packed))) {
            return in.readNBytes(LONGEST_TEXT);
        }
    }

    private static byte[] readExactly(DataInputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        return bytes;
    }

    /** Where the string that starts there ends: at its zero byte, or with the chunk. */
    private static int endOfString(byte[] chunk, int from) {
        int end = from;
        while (end < chunk.length && chunk[end] != 0) {
            end++;
        }
        return end;
    }

    private static byte[] rest(byte[] chunk, int from) {
        return Arrays.copyOfRange(chunk, Math.min(from, chunk.length), chunk.length);
    }
}
