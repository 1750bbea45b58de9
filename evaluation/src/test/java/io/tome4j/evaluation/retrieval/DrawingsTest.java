package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrawingsTest {
    private static final Motifs MOTIFS = Motifs.load();
    private static final int COUNT = MOTIFS.all().size();

    @TempDir
    Path folder;

    /** A sparse file of transparent drawings, in which motif 7 is opaque blue and half transparent red below. */
    @BeforeEach
    void drawings() throws IOException {
        writeMotifs(MOTIFS.all().stream().map(Motif::id).collect(Collectors.joining("\"}, {\"id\": \"")));
        String header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + COUNT + ", 512, 512, 4), }";
        header += " ".repeat(128 - 10 - 1 - header.length()) + "\n";
        try (RandomAccessFile file = new RandomAccessFile(npy().toFile(), "rw")) {
            file.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length(), 0});
            file.write(header.getBytes(StandardCharsets.US_ASCII));
            file.setLength(128 + COUNT * 1048576L);
            byte[] row = new byte[4 * 512];
            for (int y = 0; y < 512; y++) {
                for (int x = 0; x < 512; x++) {
                    row[4 * x] = (byte) (y < 256 ? 0 : 128);
                    row[4 * x + 2] = (byte) (y < 256 ? 255 : 0);
                    row[4 * x + 3] = (byte) (y < 256 ? 255 : 128);
                }
                file.seek(128 + 7 * 1048576L + y * 2048L);
                file.write(row);
            }
        }
    }

    private Path npy() {
        return folder.resolve("renders.npy");
    }

    private void writeMotifs(String ids) throws IOException {
        Files.writeString(folder.resolve("motifs.json"), "[{\"id\": \"" + ids + "\"}]");
    }

    @Test
    void aDrawingIsPutOnWhite() {
        try (Drawings drawings = Drawings.open(folder, MOTIFS)) {
            assertThat(drawings.onWhite(0).getRGB(100, 100) & 0xffffff).isEqualTo(0xffffff);
            assertThat(drawings.onWhite(7).getRGB(511, 255) & 0xffffff).isEqualTo(0x0000ff);
            assertThat(drawings.onWhite(7).getRGB(0, 256) & 0xffffff).isEqualTo(0xff7f7f);
        }
    }

    @Test
    void theDifferenceIsTheMeanOfThePixels() {
        BufferedImage white = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64 * 64; i++) {
            white.setRGB(i % 64, i / 64, 0xffffff);
        }
        BufferedImage blue = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64 * 64; i++) {
            blue.setRGB(i % 64, i / 64, i < 64 * 32 ? 0x0000ff : 0xff7f7f);
        }
        try (Drawings drawings = Drawings.open(folder, MOTIFS)) {
            assertThat(drawings.difference(white, 0)).isZero();
            assertThat(drawings.difference(blue, 7)).isZero();
            // blue is L* 32.3, a* 79.2, b* -107.9 and white 100, 0, 0: 150.0 apart; the red half 71.9 to 72.1 from
            // white
            double red = Lab.difference(new float[] {100, 0, 0}, Lab.of(blue.getSubimage(0, 63, 1, 1)));
            assertThat(drawings.difference(white, 7)).isCloseTo((149.95 + red) / 2, within(0.1));
        }
    }

    @Test
    void whatAreNotTheDrawingsOfTheseMotifsIsRefused() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(npy().toFile(), "rw")) {
            file.setLength(file.length() - 1);
        }
        assertThatThrownBy(() -> Drawings.open(folder, MOTIFS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("renders.npy")
                .hasMessageContaining("data.py");
        Files.writeString(npy(), "no array");
        assertThatThrownBy(() -> Drawings.open(folder, MOTIFS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("ends after 8 bytes");
        writeMotifs("red-apple");
        assertThatThrownBy(() -> Drawings.open(folder, MOTIFS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("has 1 motifs that are not the " + COUNT);
        assertThatThrownBy(() -> Drawings.open(folder.resolve("none"), MOTIFS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("motifs.json cannot be read");
    }
}
