package io.tome4j.diffusion.pixels;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;

/** PNG (W3C, second edition). Samples of 16 bits lose their lower eight. */
final class PngFormat implements ImageFormat {
    private static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";
    private static final int HEADER_BYTES = 33; // the signature and the first chunk
    private static final int CHUNK_BESIDES = 12; // length, name, checksum

    /** Deflate makes no more of a byte. */
    private static final int MOST_INFLATED = 1032;

    @Override
    public boolean begins(byte[] file) {
        return ImageFormat.isAt(file, 0, SIGNATURE);
    }

    @Override
    public Header header(byte[] file) throws IOException {
        if (file.length < HEADER_BYTES || !ImageFormat.isAt(file, 12, "IHDR")) {
            throw new DamagedImageException("it ends before its size is said");
        }
        ByteBuffer data = ByteBuffer.wrap(file);
        int width = data.getInt(16);
        int height = data.getInt(20);
        int bits = file[24] & 0xff;
        int samples =
                switch (file[25] & 0xff) {
                    case 2 -> 3;
                    case 4 -> 2;
                    case 6 -> 4;
                    default -> 1;
                };
        double inflated = (double) height * width * samples * bits / 8;
        if (inflated <= ImageFiles.MOST_PIXELS * 8.0 && inflated / MOST_INFLATED > file.length) {
            throw new DamagedImageException("it says " + width + " x " + height + " pixels, which do not fit into its "
                    + file.length + " bytes");
        }
        return new Header(width, height, Math.max(1, samples * bits / 8), orientation(file));
    }

    private static int orientation(byte[] file) throws IOException {
        ByteBuffer data = ByteBuffer.wrap(file);
        for (int at = HEADER_BYTES; at + CHUNK_BESIDES <= file.length; at = next(data, at)) {
            if (ImageFormat.isAt(file, at + 4, "eXIf")) {
                return Orientation.numberIn(Arrays.copyOfRange(file, at + 8, next(data, at) - 4));
            }
        }
        return 1;
    }

    /** Where the chunk after the one at a place begins. */
    private static int next(ByteBuffer data, int at) throws IOException {
        long next = at + (data.getInt(at) & 0xffffffffL) + CHUNK_BESIDES;
        if (next > data.capacity()) {
            throw new DamagedImageException("it is truncated, it ends before the image does");
        }
        return (int) next;
    }

    @Override
    public Pixels decode(byte[] file, Header header) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        return pixels(ImageFormat.decode(reader, withoutAncillary(file), r -> r.read(0)));
    }

    /** The chunks that pixels are made of, their checksums compared: readers stumble over what else there may be. */
    private static byte[] withoutAncillary(byte[] file) throws IOException {
        ByteBuffer data = ByteBuffer.wrap(file);
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length);
        out.write(file, 0, 8);
        for (int at = 8; ; ) {
            if (at + CHUNK_BESIDES > file.length) {
                throw new DamagedImageException("it is truncated, it ends before the image does");
            }
            int end = next(data, at);
            String name = new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
            if (Character.isUpperCase(name.charAt(0))) {
                CRC32 crc = new CRC32();
                crc.update(file, at + 4, end - at - 8);
                if ((int) crc.getValue() != data.getInt(end - 4)) {
                    throw new DamagedImageException(
                            "the checksum of its part " + name + " does not fit, it is damaged");
                }
                out.write(file, at, end - at);
            }
            if (name.equals("IEND")) {
                return out.toByteArray();
            }
            at = end;
        }
    }

    private static Pixels pixels(BufferedImage image) {
        return image.getColorModel() instanceof IndexColorModel palette
                ? ofPalette(image.getRaster(), palette)
                : ofSamples(image.getRaster(), 8);
    }

    private static Pixels ofPalette(Raster raster, IndexColorModel palette) {
        int[] indices = new int[raster.getWidth()];
        byte[] values = new byte[3 * raster.getWidth() * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getSamples(0, y, indices.length, 1, 0, indices);
            for (int index : indices) {
                int rgb = index < palette.getMapSize() ? palette.getRGB(index) : 0;
                values[at++] = (byte) (rgb >> 16);
                values[at++] = (byte) (rgb >> 8);
                values[at++] = (byte) rgb;
            }
        }
        return new Pixels(raster.getWidth(), raster.getHeight(), 3, values);
    }

    /**
     * Grey or RGB of a raster; further bands are left out.
     *
     * @param bits of a value, to which larger samples are cut
     */
    static Pixels ofSamples(Raster raster, int bits) {
        int bands = raster.getNumBands() < 3 ? 1 : 3;
        int shift = Math.max(0, raster.getSampleModel().getSampleSize(0) - bits);
        int width = raster.getWidth();
        int[] row = new int[width * raster.getNumBands()];
        byte[] values = new byte[bands * width * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int band = 0; band < bands; band++) {
                    values[at++] = (byte) (row[x * raster.getNumBands() + band] >> shift);
                }
            }
        }
        return new Pixels(width, raster.getHeight(), bands, values);
    }
}
