package io.tome4j.diffusion;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * PNG files that carry a text under the key {@code parameters}, where A1111's web UI and PIL look for it: a {@code tEXt}
 * chunk where Latin-1 can say it, else {@code iTXt} (PNG specification, section 11.3.3).
 */
public final class PngFiles {
    private static final String KEY = "parameters";

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    static final int SIGNATURE_BYTES = SIGNATURE.length;

    /** The signature and the header chunk, which is always the first and always this long. */
    private static final int HEADER_BYTES = SIGNATURE_BYTES + 25;

    private PngFiles() {}

    /**
     * Writes an image without parameters.
     *
     * @throws TomeException if it cannot be written; then nothing is left behind
     */
    public static void write(BufferedImage image, Path file) {
        write(image, "", file);
    }

    /**
     * Writes an image.
     *
     * @param parameters empty for none
     * @throws TomeException if it cannot be written; then nothing is left behind
     */
    static void write(BufferedImage image, String parameters, Path file) {
        WholeFile.write("image", file, part -> Files.write(part, encode(image, parameters)));
    }

    /** The bytes of a PNG; parameters are empty for none. */
    static byte[] bytes(BufferedImage image, String parameters) {
        try {
            return encode(image, parameters);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing but memory is written to
        }
    }

    private static byte[] encode(BufferedImage image, String parameters) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream memory = new MemoryCacheImageOutputStream(plain)) { // no file in between
            ImageIO.write(image, "png", memory);
        }
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

    /** Whether a file that begins so is one. */
    static boolean begins(byte[] bytes) {
        return bytes.length >= SIGNATURE_BYTES && Arrays.equals(Arrays.copyOf(bytes, SIGNATURE_BYTES), SIGNATURE);
    }

    /**
     * The text under the key {@code parameters}; empty if there is none.
     *
     * @param in after the signature
     * @param fileSize in bytes
     * @throws EOFException if the file ends before the image does
     * @throws IOException if it cannot be read, or is damaged
     */
    static Optional<String> readText(DataInputStream in, long fileSize) throws IOException {
        while (true) {
            int length = in.readInt();
            String type = new String(ImageTexts.readExactly(in, 4), StandardCharsets.ISO_8859_1);
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
            if (length > ImageTexts.LONGEST) {
                throw new IOException("its " + type + " chunk has " + length + " bytes, which is no text");
            }
            byte[] chunk = ImageTexts.readExactly(in, length);
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
            return in.readNBytes(ImageTexts.LONGEST);
        }
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
