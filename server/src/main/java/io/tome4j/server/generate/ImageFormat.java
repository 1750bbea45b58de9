package io.tome4j.server.generate;

import io.tome4j.server.queue.MadeImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** What images are sent as; each carries the parameters it was made from. */
public enum ImageFormat {
    PNG,
    JPEG;

    private static final int LARGEST_SEGMENT = 65_000;
    private static final int SOI_BYTES = 2;

    /** By its name, {@code jpg} too; empty if there is none of that name. */
    public static Optional<ImageFormat> named(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "png" -> Optional.of(PNG);
            case "jpg", "jpeg" -> Optional.of(JPEG);
            default -> Optional.empty();
        };
    }

    /** In lower case. */
    public String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * An image's file.
     *
     * @param quality of a JPEG, from 0 to 100
     */
    public byte[] bytes(MadeImage made, int quality) {
        return this == PNG
                ? made.image().png()
                : jpeg(made.image().toBufferedImage(), quality, made.image().parameters());
    }

    /** As {@link #bytes(MadeImage, int)}, without parameters. */
    public byte[] bytes(BufferedImage image, int quality) {
        return this == PNG ? png(image) : jpeg(image, quality, "");
    }

    /** As {@link #bytes(MadeImage, int)}, in base64. */
    public String base64(MadeImage made, int quality) {
        return Base64.getEncoder().encodeToString(bytes(made, quality));
    }

    /** A PNG without parameters, in base64. */
    public static String pngBase64(BufferedImage image) {
        return Base64.getEncoder().encodeToString(png(image));
    }

    private static byte[] png(BufferedImage image) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream memory = new MemoryCacheImageOutputStream(out)) {
            ImageIO.write(image, "png", memory);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing but memory is written to
        }
        return out.toByteArray();
    }

    private static byte[] jpeg(BufferedImage image, int quality, String parameters) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream memory = new MemoryCacheImageOutputStream(plain)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(quality / 100f);
            writer.setOutput(memory);
            writer.write(null, new IIOImage(image, null, null), param);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing but memory is written to
        } finally {
            writer.dispose();
        }
        return withComment(plain.toByteArray(), parameters);
    }

    /** Puts the parameters into an Exif comment (Exif 2.3, UserComment in UTF-16, as A1111's web UI writes it). */
    private static byte[] withComment(byte[] jpeg, String parameters) {
        byte[] text = parameters.getBytes(StandardCharsets.UTF_16BE);
        if (text.length == 0 || text.length > LARGEST_SEGMENT) {
            return jpeg; // a segment cannot hold more
        }
        try {
            ByteArrayOutputStream exif = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(exif);
            out.write("Exif\0\0MM\0*".getBytes(StandardCharsets.US_ASCII));
            out.writeInt(8); // where the first directory begins
            out.writeShort(1);
            writeEntry(out, 0x8769, 4, 1, 26); // where the Exif directory begins
            out.writeInt(0);
            out.writeShort(1);
            writeEntry(out, 0x9286, 7, 8 + text.length, 44); // UserComment
            out.writeInt(0);
            out.write("UNICODE\0".getBytes(StandardCharsets.US_ASCII));
            out.write(text);
            ByteArrayOutputStream all = new ByteArrayOutputStream(jpeg.length + exif.size() + 4);
            DataOutputStream file = new DataOutputStream(all);
            file.write(jpeg, 0, SOI_BYTES);
            file.writeShort(0xffe1); // APP1
            file.writeShort(exif.size() + 2);
            file.write(exif.toByteArray());
            file.write(jpeg, SOI_BYTES, jpeg.length - SOI_BYTES);
            return all.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing but memory is written to
        }
    }

    private static void writeEntry(DataOutputStream out, int tag, int type, int count, int value) throws IOException {
        out.writeShort(tag);
        out.writeShort(type);
        out.writeInt(count);
        out.writeInt(value);
    }
}
