package io.tome4j.diffusion.pixels;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;

/**
 * JPEG (ITU-T T.81). Java's reader decodes the samples; colours are converted here, in the fixed point of libjpeg, because
 * Java's would go by colour profiles and knows no CMYK.
 */
final class JpegFormat implements ImageFormat {
    private static final int MARK = 0xff;
    private static final int START_OF_IMAGE = 0xd8;
    private static final int END_OF_IMAGE = 0xd9;
    private static final int START_OF_SCAN = 0xda;
    private static final int APP0 = 0xe0;
    private static final int APP1 = 0xe1;
    private static final int APP14 = 0xee;
    private static final int LAST_APP = 0xef;
    private static final int COMMENT = 0xfe;
    private static final int UNKNOWN = -1;
    private static final String EXIF = "Exif\0\0";

    /** What the segments before the first scan say. */
    private static final class Segments {
        private int width;
        private int height;
        private int components;
        private boolean rgbIds;
        private boolean jfif;
        private int adobeTransform = UNKNOWN;
        private int orientation = 1;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private int scan;

        /** Whether three components are luma and chroma, as libjpeg decides. */
        boolean isYcc() {
            if (jfif || adobeTransform != UNKNOWN) {
                return jfif || adobeTransform != 0;
            }
            return !rgbIds;
        }
    }

    @Override
    public boolean begins(byte[] file) {
        return file.length >= 2 && (file[0] & 0xff) == MARK && (file[1] & 0xff) == START_OF_IMAGE;
    }

    @Override
    public Header header(byte[] file) throws IOException {
        Segments segments = segments(file);
        return new Header(segments.width, segments.height, segments.components, segments.orientation);
    }

    private static Segments segments(byte[] file) throws IOException {
        Segments segments = new Segments();
        segments.kept.write(file, 0, 2);
        int at = 2;
        while (true) {
            while (byteAt(file, at) == MARK && byteAt(file, at + 1) == MARK) {
                at++;
            }
            int marker = byteAt(file, at + 1);
            if (byteAt(file, at) != MARK || marker == 0) {
                throw new DamagedImageException("a segment does not begin where it should, it is damaged");
            }
            if (marker == START_OF_SCAN || marker == END_OF_IMAGE) {
                if (segments.components == 0 || marker == END_OF_IMAGE) {
                    throw new DamagedImageException("it has no image, it is damaged");
                }
                segments.scan = at;
                return segments;
            }
            int length = byteAt(file, at + 2) << 8 | byteAt(file, at + 3);
            if (length < 2 || at + 2 + length > file.length) {
                throw new DamagedImageException("it is truncated, it ends before the image does");
            }
            read(segments, marker, Arrays.copyOfRange(file, at + 4, at + 2 + length));
            if ((marker < APP0 || marker > LAST_APP) && marker != COMMENT) {
                segments.kept.write(file, at, 2 + length);
            }
            at += 2 + length;
        }
    }

    private static int byteAt(byte[] file, int at) throws IOException {
        if (at >= file.length) {
            throw new DamagedImageException("it is truncated, it ends before the image does");
        }
        return file[at] & 0xff;
    }

    private static void read(Segments segments, int marker, byte[] data) throws IOException {
        boolean startOfFrame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (startOfFrame) {
            if (data.length < 6 || data.length < 6 + 3 * (data[5] & 0xff)) {
                throw new DamagedImageException("it ends before its size is said");
            }
            if (data[0] != 8) {
                throw new DamagedImageException("it has samples of " + data[0] + " bits where 8 can be read");
            }
            segments.height = (data[1] & 0xff) << 8 | (data[2] & 0xff);
            segments.width = (data[3] & 0xff) << 8 | (data[4] & 0xff);
            segments.components = data[5] & 0xff;
            if (segments.components != 1 && segments.components != 3 && segments.components != 4) {
                throw new DamagedImageException(
                        "it has " + segments.components + " components where 1, 3 or 4 can be read");
            }
            segments.rgbIds = segments.components == 3 && data[6] == 'R' && data[9] == 'G' && data[12] == 'B';
        } else if (marker == APP0 && ImageFormat.isAt(data, 0, "JFIF\0")) {
            segments.jfif = true;
        } else if (marker == APP14 && ImageFormat.isAt(data, 0, "Adobe") && data.length >= 12) {
            segments.adobeTransform = data[11] & 0xff;
        } else if (marker == APP1 && ImageFormat.isAt(data, 0, EXIF)) {
            segments.orientation = Orientation.numberIn(Arrays.copyOfRange(data, EXIF.length(), data.length));
        }
    }

    @Override
    public Pixels decode(byte[] file, Header header) throws IOException {
        Segments segments = segments(file);
        ByteArrayOutputStream plain = segments.kept;
        plain.write(file, segments.scan, file.length - segments.scan);
        Raster raster = ImageFormat.decode(rasterReader(), plain.toByteArray(), reader -> reader.readRaster(0, null));
        if (raster.getNumBands() != segments.components) {
            throw new DamagedImageException(
                    "it has " + raster.getNumBands() + " components and says " + segments.components);
        }
        return switch (segments.components) {
            case 1 -> PngFormat.ofSamples(raster, 8);
            case 3 -> segments.isYcc() ? rgb(raster) : PngFormat.ofSamples(raster, 8);
            default -> ofCmyk(raster, segments.adobeTransform == 2);
        };
    }

    private static ImageReader rasterReader() throws IOException {
        for (Iterator<ImageReader> all = ImageIO.getImageReadersByFormatName("jpeg"); all.hasNext(); ) {
            ImageReader reader = all.next();
            if (reader.canReadRaster()) {
                return reader;
            }
        }
        throw new IOException("this Java has no reader for JPEG");
    }

    private static Pixels rgb(Raster raster) {
        int[] row = new int[3 * raster.getWidth()];
        byte[] values = new byte[row.length * raster.getHeight()];
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, raster.getWidth(), 1, row);
            for (int i = 0; i < row.length; i += 3) {
                toRgb(row, i);
                for (int band = 0; band < 3; band++) {
                    values[y * row.length + i + band] = (byte) row[i + band];
                }
            }
        }
        return new Pixels(raster.getWidth(), raster.getHeight(), 3, values);
    }

    /** JFIF's conversion with 16 bits behind the point. */
    private static void toRgb(int[] pixel, int at) {
        int luma = pixel[at];
        int blue = pixel[at + 1] - 128;
        int red = pixel[at + 2] - 128;
        pixel[at] = clamped(luma + ((91881 * red + 0x8000) >> 16)); // 1.40200
        pixel[at + 1] = clamped(luma + ((-22554 * blue - 46802 * red + 0x8000) >> 16)); // 0.34414, 0.71414
        pixel[at + 2] = clamped(luma + ((116130 * blue + 0x8000) >> 16)); // 1.77200
    }

    private static int clamped(int value) {
        return Math.min(255, Math.max(0, value));
    }

    /** Such files hold inverted inks, as Adobe's programs write them. */
    private static Pixels ofCmyk(Raster raster, boolean ycck) {
        int[] row = new int[4 * raster.getWidth()];
        byte[] values = new byte[3 * raster.getWidth() * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, raster.getWidth(), 1, row);
            for (int i = 0; i < row.length; i += 4) {
                if (ycck) {
                    toRgb(row, i); // inks inverted twice: the cyan of CMYK, stored inverted, is the red
                }
                int light = row[i + 3];
                for (int band = 0; band < 3; band++) {
                    int ink = ycck ? row[i + band] : 255 - row[i + band];
                    int product = ink * light + 128;
                    values[at++] = (byte) clamped(light - (((product >> 8) + product) >> 8));
                }
            }
        }
        return new Pixels(raster.getWidth(), raster.getHeight(), 3, values);
    }
}
