package io.tome4j.emoji;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.emoji.Motifs.Motif;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MotifsTest {
    private static final Motifs MOTIFS = Motifs.load();

    private static int index(String name) {
        List<Motif> all = MOTIFS.all();
        return IntStream.range(0, all.size())
                .filter(i -> all.get(i).name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyMotifHasANameOfItsOwnAndAPrompt() {
        assertThat(MOTIFS.all()).hasSizeGreaterThan(1500).contains(new Motif("red-apple", "red apple", "a red apple"));
        assertThat(MOTIFS.all()).extracting(Motif::name).doesNotHaveDuplicates();
        assertThat(MOTIFS.all()).extracting(Motif::id).doesNotHaveDuplicates().allMatch(id -> id.matches("[a-z0-9-]+"));
        assertThat(MOTIFS.all()).allMatch(motif -> motif.prompt().endsWith(" " + motif.name()));
    }

    @Test
    void aThumbnailShowsItsMotifOnWhite() {
        BufferedImage apple = MOTIFS.thumbnail(index("red apple"));
        assertThat(apple.getWidth()).isEqualTo(Motifs.THUMBNAIL);
        assertThat(new Color(apple.getRGB(0, 0))).isEqualTo(Color.WHITE);
        Color middle = new Color(apple.getRGB(32, 40));
        assertThat(middle.getRed()).isGreaterThan(180);
        assertThat(middle.getGreen()).isLessThan(100);
        Color last = new Color(MOTIFS.thumbnail(index("green apple")).getRGB(32, 40));
        assertThat(last.getGreen()).isGreaterThan(last.getRed());
    }

    @Test
    void thereAreNoOthers() {
        assertThatThrownBy(() -> MOTIFS.thumbnail(MOTIFS.all().size())).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
