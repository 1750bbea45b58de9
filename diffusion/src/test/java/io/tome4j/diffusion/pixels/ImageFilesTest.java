package io.tome4j.diffusion.pixels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilesTest {
    /** Another decoder than libwebp: it upsamples colours in another way, which shows at edges and hardly in the brightness, whose mean this is. */
    private static final double LOSSY_WEBP = 1;

    static List<JsonNode> files() {
        return Fixtures.cases("pixels/files.json");
    }

    private static byte[] file(String name) throws IOException {
        return Files.readAllBytes(Fixtures.path("pixels/" + name));
    }

    @ParameterizedTest
    @MethodSource("files")
    void readsWhatPilReads(JsonNode c) {
        String name = c.get("file").textValue();
        Pixels read = ImageFiles.read(Fixtures.path("pixels/" + name));
        Pixels expected = PixelFixtures.pixels(c);
        assertThat(read.toString()).isEqualTo(expected.toString());
        if (name.equals("lossy.webp")) {
            assertThat(PixelFixtures.meanDifference(read.toGrey(), expected.toGrey()))
                    .isLessThan(LOSSY_WEBP);
        } else {
            assertThat(PixelFixtures.difference(read, expected)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rgb.png",
                "palette.png",
                "full.jpg",
                "progressive.jpg",
                "cmyk.jpg",
                "lossless.webp",
                "lossy.webp"
            })
    void aTruncatedImageIsAnErrorWhereverItEnds(String name) throws IOException {
        byte[] whole = file(name);
        for (int length = 2; length < whole.length - 2; length += 1 + length / 20) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> ImageFiles.read(part, "photo"))
                    .as("%s of %s bytes", part.length, whole.length)
                    .isInstanceOf(TomeException.class)
                    .hasMessageStartingWith("photo ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "palette.png", "turned-6.jpg", "lossless.webp", "lossy.webp"})
    void aDamagedImageIsAnErrorOrAnImageOfItsSize(String name) throws IOException {
        byte[] whole = file(name);
        for (int at = 0; at < whole.length; at += 3) {
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (0xff >> (at % 5));
            try {
                assertThat(ImageFiles.read(damaged, "photo").bands()).isEqualTo(3);
            } catch (TomeException e) {
                assertThat(e).hasMessageStartingWith("photo ");
            }
        }
    }

    @Test
    void aHugeImageInAFewBytesIsRefusedBeforeMemoryIsTaken() throws IOException {
        byte[] png = sized(file("rgb.png"), 50_000, 50_000);
        assertThatThrownBy(() -> ImageFiles.read(png, "bomb.png"))
                .hasMessageContaining("50000 x 50000")
                .hasMessageContaining("178 million");
        byte[] large = sized(file("rgb.png"), 13_000, 13_000);
        assertThatThrownBy(() -> ImageFiles.read(large, "bomb.png")).hasMessageContaining("do not fit into its");
        byte[] jpeg = file("full.jpg");
        int frame = startOfFrame(jpeg);
        Arrays.fill(jpeg, frame + 5, frame + 9, (byte) 0xf0);
        assertThatThrownBy(() -> ImageFiles.read(jpeg, "bomb.jpg")).hasMessageContaining("61680 x 61680");
    }

    private static byte[] sized(byte[] png, int width, int height) {
        ByteBuffer.wrap(png).putInt(16, width).putInt(20, height);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        return png;
    }

    private static int startOfFrame(byte[] jpeg) {
        int at = 2;
        while ((jpeg[at + 1] & 0xff) != 0xc0) {
            at += 2 + ((jpeg[at + 2] & 0xff) << 8 | jpeg[at + 3] & 0xff);
        }
        return at;
    }

    @Test
    void whatIsNoImageIsNamed(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("a.png"), "GIF89a not a PNG");
        assertThatThrownBy(() -> ImageFiles.read(text)).hasMessageContaining("a.png is not a PNG, JPEG or WebP image");
        assertThatThrownBy(() -> ImageFiles.read(folder)).hasMessageContaining("is a folder");
        assertThatThrownBy(() -> ImageFiles.read(folder.resolve("b.png"))).hasMessageContaining("There is no file");
        assertThatThrownBy(() -> ImageFiles.read(new byte[0], "nothing")).hasMessageContaining("nothing is not a PNG");
    }

    @Test
    void sixteenBitsOfGreyKeepTheirUpperEight() throws IOException {
        // the two bytes of a level are equal here, so that no bit is lost
        Pixels grey = PixelFixtures.the("grey");
        Path file = Files.createTempFile("grey16", ".png");
        try {
            var image = new java.awt.image.BufferedImage(
                    grey.width(), grey.height(), java.awt.image.BufferedImage.TYPE_USHORT_GRAY);
            for (int y = 0; y < grey.height(); y++) {
                for (int x = 0; x < grey.width(); x++) {
                    image.getRaster().setSample(x, y, 0, grey.at(x, y, 0) * 257);
                }
            }
            javax.imageio.ImageIO.write(image, "png", file.toFile());
            assertThat(ImageFiles.read(file)).isEqualTo(grey.toRgb());
        } finally {
            Files.delete(file);
        }
    }

    /** A PNG whose left pixel is transparent and whose right one is not, to be turned to the right to stand upright. */
    private static byte[] turned() throws IOException {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(1, 0, 0xff000000);
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(image, "png", plain);
        byte[] png = plain.toByteArray();
        byte[] exif = HexFormat.of().parseHex("4d4d002a00000008" + "0001" + "011200030000000100060000" + "00000000");
        ByteBuffer chunk = ByteBuffer.allocate(12 + exif.length)
                .putInt(exif.length)
                .put("eXIf".getBytes(StandardCharsets.US_ASCII))
                .put(exif);
        CRC32 crc = new CRC32();
        crc.update(chunk.array(), 4, 4 + exif.length);
        chunk.putInt((int) crc.getValue());
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(png, 0, 33);
        all.write(chunk.array());
        all.write(png, 33, png.length - 33);
        return all.toByteArray();
    }

    @Test
    void transparencyIsTurnedAsTheColoursAre() throws IOException {
        assertThat(ImageFiles.read(turned(), "x").toString()).startsWith("1 x 2");
        assertThat(ImageFiles.readMask(turned(), "x")).isEqualTo(Pixels.grey(1, 2, new byte[] {-1, 0}));
        assertThat(ImageFiles.opacity(turned())).contains(Pixels.grey(1, 2, new byte[] {0, -1}));
    }

    @Test
    void aMaskIsReadWhereNothingCanBeWritten(@TempDir Path folder) throws IOException {
        byte[] png = turned();
        Path gone = Files.createDirectory(folder.resolve("gone"));
        ImageIO.setCacheDirectory(gone.toFile());
        Files.delete(gone);
        try {
            assertThat(ImageFiles.readMask(png, "x")).isEqualTo(Pixels.grey(1, 2, new byte[] {-1, 0}));
        } finally {
            ImageIO.setCacheDirectory(null);
        }
    }
}
