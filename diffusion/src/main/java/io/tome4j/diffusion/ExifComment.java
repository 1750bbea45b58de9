package io.tome4j.diffusion;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tag {@code UserComment} of Exif data, which is where A1111's web UI and its kin keep parameters in JPEG and WebP files
 * (Exif 2.3, section 4.6.5; TIFF 6.0, section 2).
 */
final class ExifComment {
    /** What stands before the data in a JPEG. */
    static final String HEADER = "Exif\0\0";

    private static final int TIFF = 42;
    private static final int EXIF_DIRECTORY = 0x8769;
    private static final int USER_COMMENT = 0x9286;
    private static final int ENTRY_BYTES = 12;
    private static final int CODE_BYTES = 8;

    private ExifComment() {}

    /**
     * The comment in data that begin with the header of TIFF; empty if there is none, or it cannot be read: Exif data may be
     * of whatever program.
     */
    static Optional<String> in(byte[] tiff) {
        if (!ImageTexts.isAt(tiff, 0, "II") && !ImageTexts.isAt(tiff, 0, "MM")) {
            return Optional.empty();
        }
        ByteBuffer data = ByteBuffer.wrap(tiff).order(tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        try {
            if (data.getShort(2) != TIFF) {
                return Optional.empty();
            }
            OptionalInt directory = entry(data, data.getInt(4), EXIF_DIRECTORY);
            if (directory.isEmpty()) {
                return Optional.empty();
            }
            OptionalInt comment = entry(data, data.getInt(directory.getAsInt() + 8), USER_COMMENT);
            return comment.isEmpty() ? Optional.empty() : comment(data, comment.getAsInt());
        } catch (IndexOutOfBoundsException | BufferUnderflowException e) {
            return Optional.empty(); // it points to where nothing is
        }
    }

    /** Where a directory's entry of a tag begins. */
    private static OptionalInt entry(ByteBuffer data, int directory, int tag) {
        int entries = data.getShort(directory) & 0xffff;
        for (int i = 0; i < entries; i++) {
            int entry = directory + 2 + ENTRY_BYTES * i;
            if ((data.getShort(entry) & 0xffff) == tag) {
                return OptionalInt.of(entry);
            }
        }
        return OptionalInt.empty();
    }

    private static Optional<String> comment(ByteBuffer data, int entry) {
        int length = data.getInt(entry + 4);
        if (length < 0 || length > data.capacity()) {
            return Optional.empty();
        }
        byte[] comment = new byte[length];
        data.get(length <= 4 ? entry + 8 : data.getInt(entry + 8), comment); // what is short stands in the entry itself
        String text = decode(comment, data.order()).replaceAll("\0+$", "").strip();
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    /** The first eight bytes say how the rest is encoded; they do not say which byte of UTF-16 comes first. */
    private static String decode(byte[] comment, ByteOrder order) {
        byte[] text = Arrays.copyOfRange(comment, Math.min(CODE_BYTES, comment.length), comment.length);
        if (ImageTexts.isAt(comment, 0, "UNICODE\0")) {
            return new String(text, utf16(text, order));
        }
        boolean coded = ImageTexts.isAt(comment, 0, "ASCII\0\0\0")
                || ImageTexts.isAt(comment, 0, "JIS\0\0\0\0\0")
                || ImageTexts.isAt(comment, 0, "\0".repeat(CODE_BYTES));
        return bytes(coded ? text : comment);
    }

    /** Of a text of parameters most characters are ASCII: the byte that is mostly zero is the higher one. */
    private static Charset utf16(byte[] text, ByteOrder order) {
        boolean marked = text.length >= 2 && (text[0] & 0xff) + (text[1] & 0xff) == 0xfe + 0xff;
        if (marked) {
            return StandardCharsets.UTF_16; // which goes by the mark
        }
        int first = 0;
        int second = 0;
        for (int i = 0; i + 1 < text.length; i += 2) {
            first += text[i] == 0 ? 1 : 0;
            second += text[i + 1] == 0 ? 1 : 0;
        }
        boolean bigEndian = first == second ? order == ByteOrder.BIG_ENDIAN : first > second;
        return bigEndian ? StandardCharsets.UTF_16BE : StandardCharsets.UTF_16LE;
    }

    /** What should be ASCII is UTF-8 where it can be. */
    private static String bytes(byte[] text) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException e) {
            return new String(text, StandardCharsets.ISO_8859_1);
        }
    }
}
