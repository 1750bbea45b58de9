package io.tome4j.diffusion.pixels;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** WebP (RFC 9649), of several images the first. */
final class WebpFormat implements ImageFormat {
    private static final int FILE_HEADER = 12;
    private static final int CHUNK_HEADER = 8;
    private static final String EXIF = "Exif\0\0";

    @Override
    public boolean begins(byte[] file) {
        return ImageFormat.isAt(file, 0, "RIFF") && ImageFormat.isAt(file, 8, "WEBP");
    }

    @Override
    public Header header(byte[] file) throws IOException {
        if (file.length < FILE_HEADER + CHUNK_HEADER + 10) {
            throw new DamagedImageException("it ends before its size is said");
        }
        ByteBuffer data = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int at = FILE_HEADER + CHUNK_HEADER;
        if (ImageFormat.isAt(file, FILE_HEADER, "VP8X")) {
            return new Header(1 + int24(data, at + 4), 1 + int24(data, at + 7), 4, orientation(file, data));
        }
        if (ImageFormat.isAt(file, FILE_HEADER, "VP8L")) {
            int sizes = data.getInt(at + 1);
            return new Header(1 + (sizes & 0x3fff), 1 + (sizes >> 14 & 0x3fff), 4, 1);
        }
        if (ImageFormat.isAt(file, FILE_HEADER, "VP8 ")) {
            return new Header(data.getShort(at + 6) & 0x3fff, data.getShort(at + 8) & 0x3fff, 4, 1);
        }
        throw new DamagedImageException("it does not begin with an image, it is damaged");
    }

    private static int int24(ByteBuffer data, int at) {
        return (data.getShort(at) & 0xffff) | (data.get(at + 2) & 0xff) << 16;
    }

    private static int orientation(byte[] file, ByteBuffer data) {
        long at = FILE_HEADER;
        while (at + CHUNK_HEADER <= file.length) {
            long length = data.getInt((int) at + 4) & 0xffffffffL;
            if (ImageFormat.isAt(file, (int) at, "EXIF")) {
                byte[] exif = Arrays.copyOfRange(
                        file, (int) at + CHUNK_HEADER, (int) Math.min(file.length, at + CHUNK_HEADER + length));
                int from = ImageFormat.isAt(exif, 0, EXIF) ? EXIF.length() : 0; // some programs leave JPEG's header on
                return Orientation.numberIn(Arrays.copyOfRange(exif, from, exif.length));
            }
            at += CHUNK_HEADER + length + length % 2; // chunks begin at even places
        }
        return 1;
    }

    @Override
    public Pixels decode(byte[] file, Header header) throws IOException {
        long said = Integer.toUnsignedLong(
                ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(4));
        if (said + 8 > file.length) {
            throw new DamagedImageException("it is truncated, it ends before the image does");
        }
        BufferedImage image =
                ImageFormat.decode(new WebPImageReaderSpi().createReaderInstance(null), file, reader -> reader.read(0));
        return PngFormat.ofSamples(image.getRaster(), 8);
    }
}
