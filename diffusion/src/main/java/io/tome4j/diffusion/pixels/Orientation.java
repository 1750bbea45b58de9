package io.tome4j.diffusion.pixels;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How an image is to be turned to stand upright (Exif 2.3, section 4.6.4, tag {@code Orientation}). */
enum Orientation {
    UPRIGHT,
    MIRRORED,
    UPSIDE_DOWN,
    MIRRORED_UPSIDE_DOWN,
    TRANSPOSED,
    TURN_RIGHT,
    TRANSVERSED,
    TURN_LEFT;

    private static final int TAG = 0x0112;
    private static final int ENTRY_BYTES = 12;

    /** @param number as Exif counts, from 1; any other is upright */
    static Orientation of(int number) {
        return number < 1 || number > values().length ? UPRIGHT : values()[number - 1];
    }

    /** The number in Exif data; 1 where there is none, or it cannot be read: Exif data may be of whatever program. */
    static int numberIn(byte[] tiff) {
        if (!ImageFormat.isAt(tiff, 0, "II") && !ImageFormat.isAt(tiff, 0, "MM")) {
            return 1;
        }
        ByteBuffer data = ByteBuffer.wrap(tiff).order(tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        try {
            int directory = data.getInt(4);
            int entries = data.getShort(directory) & 0xffff;
            for (int entry = directory + 2; entries > 0; entry += ENTRY_BYTES, entries--) {
                if ((data.getShort(entry) & 0xffff) == TAG) {
                    return data.getShort(entry + 8) & 0xffff;
                }
            }
        } catch (IndexOutOfBoundsException | BufferUnderflowException e) {
            return 1; // it points to where nothing is
        }
        return 1;
    }

    /** The image upright. */
    Pixels apply(Pixels image) {
        if (this == UPRIGHT) {
            return image;
        }
        boolean sides =
                switch (this) {
                    case TRANSPOSED, TURN_RIGHT, TRANSVERSED, TURN_LEFT -> true;
                    default -> false;
                };
        int width = sides ? image.height() : image.width();
        int height = sides ? image.width() : image.height();
        int right = image.width() - 1;
        int bottom = image.height() - 1;
        int bands = image.bands();
        byte[] values = new byte[image.array().length];
        int at = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int column =
                        switch (this) {
                            case UPRIGHT, MIRRORED_UPSIDE_DOWN -> x;
                            case MIRRORED, UPSIDE_DOWN -> right - x;
                            case TRANSPOSED, TURN_RIGHT -> y;
                            case TRANSVERSED, TURN_LEFT -> right - y;
                        };
                int row =
                        switch (this) {
                            case UPRIGHT, MIRRORED -> y;
                            case UPSIDE_DOWN, MIRRORED_UPSIDE_DOWN -> bottom - y;
                            case TRANSPOSED, TURN_LEFT -> x;
                            case TURN_RIGHT, TRANSVERSED -> bottom - x;
                        };
                System.arraycopy(image.array(), (row * image.width() + column) * bands, values, at, bands);
                at += bands;
            }
        }
        return new Pixels(width, height, bands, values);
    }
}
