package io.tome4j.diffusion;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/** JPEG files that carry a text as the comment of their Exif segment (ITU-T T.81, annex B; Exif 2.3, section 4.7.2). */
final class JpegFiles {
    private static final int MARK = 0xff;
    private static final int START_OF_IMAGE = 0xd8;
    private static final int END_OF_IMAGE = 0xd9;
    private static final int START_OF_SCAN = 0xda;
    private static final int APP1 = 0xe1;

    private JpegFiles() {}

    /** Whether a file that begins so is one. */
    static boolean begins(byte[] bytes) {
        return bytes.length >= 2 && (bytes[0] & 0xff) == MARK && (bytes[1] & 0xff) == START_OF_IMAGE;
    }

    /** The text, looked for in the segments before the image; empty if there is none. */
    static Optional<String> readText(DataInputStream in) throws IOException {
        while (true) {
            int marker = readMarker(in);
            if (marker == START_OF_SCAN || marker == END_OF_IMAGE) {
                return Optional.empty();
            }
            int length = in.readUnsignedShort() - 2; // the length counts itself
            if (length < 0) {
                throw new IOException("it has a segment of an impossible length, it is damaged");
            }
            if (marker != APP1) {
                in.skipNBytes(length);
                continue;
            }
            byte[] segment = ImageTexts.readExactly(in, length);
            Optional<String> comment = ImageTexts.isAt(segment, 0, ExifComment.HEADER)
                    ? ExifComment.in(Arrays.copyOfRange(segment, ExifComment.HEADER.length(), segment.length))
                    : Optional.empty();
            if (comment.isPresent()) {
                return comment;
            }
        }
    }

    /** The next marker; any number of bytes 255 may stand before it. */
    private static int readMarker(DataInputStream in) throws IOException {
        if (in.readUnsignedByte() != MARK) {
            throw new IOException("a segment does not begin where it should, it is damaged");
        }
        int marker = in.readUnsignedByte();
        while (marker == MARK) {
            marker = in.readUnsignedByte();
        }
        return marker;
    }
}
