package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PngFilesTest {
    private static final String TEXT = "a cat\nSteps: 20, Seed: 1";

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void chooseFile() {
        file = folder.resolve("image.png");
    }

    private static BufferedImage noise() {
        BufferedImage image = new BufferedImage(24, 16, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(1);
        for (int i = 0; i < 24 * 16; i++) {
            image.setRGB(i % 24, i / 24, random.nextInt(1 << 24));
        }
        return image;
    }

    @ParameterizedTest
    @ValueSource(strings = {TEXT, "café\nSteps: 1", "日本 🦜\nSteps: 1", "x"})
    void theTextIsReadBackAndThePixelsAreKept(String text) throws IOException {
        BufferedImage image = noise();
        PngFiles.write(image, text, file);
        assertThat(ImageTexts.read(file)).isEqualTo(text);
        BufferedImage read = ImageIO.read(file.toFile());
        for (int i = 0; i < 24 * 16; i++) {
            assertThat(read.getRGB(i % 24, i / 24)).isEqualTo(image.getRGB(i % 24, i / 24));
        }
    }

    @Test
    void theChunkIsLatin1WherePossibleAndUtf8Otherwise() throws IOException {
        PngFiles.write(noise(), "café", file);
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).contains("tEXtparameters\0café");
        PngFiles.write(noise(), "🦜", file);
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                .contains("iTXtparameters\0\0\0\0\0" + "\u00f0\u009f\u00a6\u009c");
    }

    @Test
    void anExistingFileIsReplacedAndNothingElseIsLeft() throws IOException {
        Files.writeString(file, "old");
        PngFiles.write(noise(), TEXT, file);
        assertThat(ImageTexts.read(file)).isEqualTo(TEXT);
        assertThat(folder).isDirectoryContaining(file::equals);
        assertThat(folder.toFile().list()).containsExactly("image.png");
    }

    @Test
    void whatCannotBeWrittenIsAnImage() {
        Path missing = folder.resolve("no").resolve("image.png");
        assertThatThrownBy(() -> PngFiles.write(noise(), TEXT, missing))
                .isInstanceOf(TomeException.class)
                .hasMessageStartingWith("The image cannot be written to " + missing + ": the folder");
    }

    @Test
    void withoutParametersNoneAreWritten() throws IOException {
        PngFiles.write(noise(), file);
        assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(24);
        assertUnreadable(file, "carries no generation parameters");
    }

    @Test
    void whatIsNoPngIsSaid() throws IOException {
        Files.writeString(file, "GIF89a");
        assertUnreadable(file, "is not a PNG, JPEG or WebP image");
        Files.writeString(file, "");
        assertUnreadable(file, "is not a PNG, JPEG or WebP image");
        assertUnreadable(folder.resolve("none.png"), "There is no file");
        assertUnreadable(folder, "is a folder");
    }

    @Test
    void aPngWithoutParametersIsSaid() throws IOException {
        ImageIO.write(noise(), "png", file.toFile());
        assertUnreadable(file, "carries no generation parameters");
    }

    @Test
    void aCutOrChangedFileIsSaidToBeDamaged() throws IOException {
        PngFiles.write(noise(), TEXT, file);
        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {8, 20, 40, 50, 60}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertUnreadable(file, "is damaged");
        }
        whole[50]++;
        Files.write(file, whole);
        assertUnreadable(file, "checksum");
    }

    private static void assertUnreadable(Path path, String message) {
        assertThatThrownBy(() -> ImageTexts.read(path))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining(message);
    }
}
