package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.retrieval.MotifBank.Match;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MotifBankTest {
    private static final Motifs MOTIFS = Motifs.load();
    private static final MotifBank BANK = MotifBank.of(MOTIFS);
    private static final int RED_APPLE = index("red apple");
    private static final int GREEN_APPLE = index("green apple");

    private static int index(String name) {
        return IntStream.range(0, MOTIFS.all().size())
                .filter(i -> MOTIFS.all().get(i).name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static BufferedImage enlarged(BufferedImage image, int side) {
        BufferedImage large = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = large.createGraphics();
        graphics.drawImage(image, 0, 0, side, side, null);
        graphics.dispose();
        return large;
    }

    @Test
    void aMotifsOwnThumbnailIsNearest() {
        for (int i = 0; i < MOTIFS.all().size(); i += 97) {
            assertThat(BANK.match(MOTIFS.thumbnail(i), i)).isEqualTo(new Match(0, i, 0));
        }
    }

    @Test
    void theSizeOfAImageDoesNotMatter() {
        assertThat(BANK.match(enlarged(MOTIFS.thumbnail(RED_APPLE), 512), RED_APPLE))
                .isEqualTo(new Match(0, RED_APPLE, 0));
    }

    @Test
    void anotherMotifsThumbnailIsFoundToBeThatOne() {
        Match match = BANK.match(MOTIFS.thumbnail(GREEN_APPLE), RED_APPLE);
        assertThat(match.nearest()).isEqualTo(GREEN_APPLE);
        assertThat(match.rank()).isPositive();
    }

    @Test
    void aBlotDoesNotHideAMotifButAColouredBackgroundDoes() {
        BufferedImage blotted = MOTIFS.thumbnail(RED_APPLE);
        Graphics2D graphics = blotted.createGraphics();
        graphics.setColor(Color.BLUE);
        graphics.fillRect(10, 10, 6, 6);
        Match match = BANK.match(blotted, RED_APPLE);
        assertThat(match.rank()).isZero();
        assertThat(match.nearest()).isEqualTo(RED_APPLE);
        // 36 of 4,096 pixels; no two sRGB colours are farther apart than 260
        assertThat(match.difference()).isBetween(0.1, 36 / 4096.0 * 260);
        graphics.fillRect(0, 0, 64, 64);
        graphics.dispose();
        assertThat(BANK.match(blotted, RED_APPLE).rank()).isGreaterThan(10);
    }

    @Test
    void theDifferenceIsTheMeanOfThePixelsColourDifferences() {
        BufferedImage image = MOTIFS.thumbnail(RED_APPLE);
        for (int i = 0; i < 32; i++) {
            assertThat(image.getRGB(i % 8, i / 8) & 0xffffff).isEqualTo(0xffffff);
            image.setRGB(i % 8, i / 8, 0); // black is 100 from white
        }
        assertThat(BANK.match(image, RED_APPLE).difference()).isCloseTo(32 * 100 / 4096.0, within(1e-4));
        assertThat(BANK.match(enlarged(image, 256), RED_APPLE).difference()).isCloseTo(32 * 100 / 4096.0, within(1e-4));
    }

    @Test
    void boxesAreAveragedAsPythonDoes() {
        BufferedImage image = new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0x020a00);
        image.setRGB(1, 0, 0x040000);
        image.setRGB(1, 1, 0x0400ff);
        // red 10 / 4 = 2.5 and green 10 / 4 = 2.5 round to the even 2, blue 255 / 4 to 64
        assertThat(Images.averaged(image, 64).getRGB(0, 0) & 0xffffff).isEqualTo(0x020240);
        assertThat(Images.averaged(image, 64).getRGB(1, 0) & 0xffffff).isZero();
    }

    @Test
    void aSizeThatCannotBeComparedIsRefused() {
        for (int[] size : new int[][] {{96, 96}, {64, 128}, {32, 32}}) {
            assertThatThrownBy(() -> BANK.match(new BufferedImage(size[0], size[1], BufferedImage.TYPE_INT_RGB), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("width is " + size[0])
                    .hasMessageContaining("multiple of 64");
        }
    }
}
