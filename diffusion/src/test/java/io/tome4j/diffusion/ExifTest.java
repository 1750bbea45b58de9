package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExifTest {
    private static final String TEXT = "żółw 🦜, a cat\nNegative prompt: dog\nSteps: 20, Seed: 1";
    private static final ByteOrder BIG = ByteOrder.BIG_ENDIAN;

    @TempDir
    Path folder;

    /** What piexif and PIL write: a directory that points to another one, which has the comment and a further tag. */
    private static byte[] exif(byte[] comment, ByteOrder order) {
        ByteBuffer data = ByteBuffer.allocate(62 + comment.length).order(order);
        data.put((order == BIG ? "MM" : "II").getBytes(StandardCharsets.US_ASCII));
        data.putShort((short) 42).putInt(8);
        data.putShort((short) 1); // a directory of one entry: where the other one is
        data.putShort((short) 0x8769).putShort((short) 4).putInt(1).putInt(26).putInt(0);
        data.putShort((short) 2);
        data.putShort((short) 0x9000).putShort((short) 7).putInt(4).putInt(0x30323330);
        data.putShort((short) 0x9286).putShort((short) 7).putInt(comment.length).putInt(56);
        data.putInt(0);
        return data.put(comment).array();
    }

    private static byte[] comment(String code, String text, Charset charset) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(Arrays.copyOf(code.getBytes(StandardCharsets.US_ASCII), 8));
        bytes.writeBytes(text.getBytes(charset));
        return bytes.toByteArray();
    }

    private Path jpeg(byte[] exif) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB), "jpeg", plain);
        byte[] image = plain.toByteArray();
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.write(image, 0, 2);
        file.writeBytes(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xe1}); // markers may be filled up
        file.writeBytes(
                ByteBuffer.allocate(2).putShort((short) (exif.length + 8)).array());
        file.writeBytes("Exif\0\0".getBytes(StandardCharsets.US_ASCII));
        file.writeBytes(exif);
        file.write(image, 2, image.length - 2);
        return Files.write(folder.resolve("image.jpg"), file.toByteArray());
    }

    private Path webp(byte[] exif, boolean headed) throws IOException {
        byte[] header = headed ? "Exif\0\0".getBytes(StandardCharsets.US_ASCII) : new byte[0];
        ByteBuffer file = ByteBuffer.allocate(12 + 8 + 6 + 8 + header.length + exif.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(file.capacity() - 8);
        file.put("WEBPVP8L".getBytes(StandardCharsets.US_ASCII)).putInt(5).put(new byte[6]); // the sixth fills up
        file.put("EXIF".getBytes(StandardCharsets.US_ASCII)).putInt(header.length + exif.length);
        file.put(header).put(exif);
        return Files.write(folder.resolve("image.webp"), file.array());
    }

    @ParameterizedTest
    @CsvSource({
        "UNICODE, UTF-16BE, true",
        "UNICODE, UTF-16BE, false",
        "UNICODE, UTF-16LE, true",
        "UNICODE, UTF-16LE, false",
        "UNICODE, UTF-16, false", // with a mark
        "ASCII, UTF-8, true",
        "'', UTF-8, false"
    })
    void theCommentIsReadWhateverItsEncoding(String code, String charset, boolean bigEndian) throws IOException {
        byte[] exif = exif(comment(code, TEXT, Charset.forName(charset)), bigEndian ? BIG : ByteOrder.LITTLE_ENDIAN);
        assertThat(ImageTexts.read(jpeg(exif))).isEqualTo(TEXT);
        assertThat(ImageTexts.read(webp(exif, false))).isEqualTo(TEXT);
        assertThat(ImageTexts.read(webp(exif, true))).isEqualTo(TEXT);
        assertThat(GenerationParameters.read(folder.resolve("image.jpg")).prompt())
                .isEqualTo("żółw 🦜, a cat");
    }

    @Test
    void whatIsNoUtf8IsLatin1AndWhatHasNoCodeIsAllText() throws IOException {
        assertThat(ImageTexts.read(jpeg(exif(comment("ASCII", "café", StandardCharsets.ISO_8859_1), BIG))))
                .isEqualTo("café");
        byte[] uncoded = "Steps: 20, Seed: 1".getBytes(StandardCharsets.US_ASCII);
        assertThat(ImageTexts.read(jpeg(exif(uncoded, BIG)))).isEqualTo("Steps: 20, Seed: 1");
    }

    @Test
    void anImageWithoutACommentIsSaidToHaveNone() throws IOException {
        Path plain = folder.resolve("plain.jpg");
        ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB), "jpeg", plain.toFile());
        for (Path file : List.of(plain, jpeg(new byte[3]), webp(new byte[0], true))) {
            assertThatThrownBy(() -> ImageTexts.read(file))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("carries no generation parameters");
        }
    }

    @Test
    void aCutFileIsDamaged() throws IOException {
        byte[] exif = exif(comment("UNICODE", TEXT, StandardCharsets.UTF_16BE), BIG);
        for (Path whole : List.of(jpeg(exif), webp(exif, false))) {
            Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(Files.readAllBytes(whole), 100));
            assertThatThrownBy(() -> ImageTexts.read(cut))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("is damaged");
        }
    }

    @Test
    void whateverIsInAFileItIsReadOrRefusedInWords() throws IOException {
        byte[] exif = exif(comment("UNICODE", TEXT, StandardCharsets.UTF_16BE), BIG);
        Random random = new Random(1);
        for (Path whole : List.of(jpeg(exif), webp(exif, false))) {
            byte[] bytes = Files.readAllBytes(whole);
            for (int i = 0; i < 200; i++) {
                byte[] changed = bytes.clone();
                for (int j = 0; j < 3; j++) {
                    changed[random.nextInt(110)] = (byte) random.nextInt();
                }
                Path file = Files.write(folder.resolve("changed"), changed);
                Throwable thrown = catchThrowable(() -> ImageTexts.read(file));
                if (thrown != null) {
                    assertThat(thrown).isInstanceOf(TomeException.class);
                }
            }
        }
    }
}
