package io.tome4j.diffusion;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/** WebP files that carry a text as the comment of their {@code EXIF} chunk (RFC 9649, section 2). */
final class WebpFiles {
    private static final int CHUNK_HEADER = 8;

    private WebpFiles() {}

    /** Whether a file that begins so is one. */
    static boolean begins(byte[] bytes) {
        return ImageTexts.isAt(bytes, 0, "RIFF") && ImageTexts.isAt(bytes, 8, "WEBP");
    }

    /**
     * The text; empty if there is none.
     *
     * @param in after the 12 bytes of the file's header
     * @param fileSize in bytes
     */
    static Optional<String> readText(DataInputStream in, long fileSize) throws IOException {
        while (true) {
            byte[] header = in.readNBytes(CHUNK_HEADER);
            if (header.length == 0) {
                return Optional.empty();
            }
            if (header.length < CHUNK_HEADER) {
                throw new EOFException();
            }
            long length = Integer.toUnsignedLong(
                    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(4));
            if (length > fileSize) {
                throw new EOFException();
            }
            if (!ImageTexts.isAt(header, 0, "EXIF")) {
                in.skipNBytes(length + length % 2); // chunks begin at even places
                continue;
            }
            if (length > ImageTexts.LONGEST) {
                throw new IOException("its EXIF chunk has " + length + " bytes, which is no text");
            }
            byte[] chunk = ImageTexts.readExactly(in, (int) length);
            // some programs leave the header of JPEG's segment on
            int from = ImageTexts.isAt(chunk, 0, ExifComment.HEADER) ? ExifComment.HEADER.length() : 0;
            return ExifComment.in(Arrays.copyOfRange(chunk, from, chunk.length));
        }
    }
}
