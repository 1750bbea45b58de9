package io.tome4j.evaluation.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.emoji.Motifs;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptsTest {
    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void columnsAreFoundByTheirNames() throws IOException {
        Prompts prompts = Prompts.read(file(
                "parti.tsv",
                "\uFEFFCategory\tPrompt\tChallenge\tNote\r\nAnimals\ta panda with the word \"PEACE\"\tComplex\t\r\n\r\n"
                        + "Arts\tein Gemälde, größer als 🎨\t\t"));
        assertThat(prompts.source()).isEqualTo("parti.tsv");
        assertThat(prompts.all())
                .extracting(Prompt::text)
                .containsExactly("a panda with the word \"PEACE\"", "ein Gemälde, größer als 🎨");
        assertThat(prompts.all()).extracting(Prompt::category).containsExactly("Animals", "Arts");
        assertThat(prompts.all()).extracting(Prompt::challenge).containsExactly("Complex", "");
    }

    @Test
    void withoutColumnsALineIsAPrompt() throws IOException {
        Prompts prompts = Prompts.read(file("prompts.txt", "  a red apple, ripe\n\n# a hash is part of a prompt\n"));
        assertThat(prompts.all())
                .extracting(Prompt::text)
                .containsExactly("a red apple, ripe", "# a hash is part of a prompt");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "empty.txt|''|has no prompt in it: write one a line.",
                "blank.txt|'  \n\n'|has no prompt in it",
                "empty.tsv|''|has no prompt in it",
                "header.tsv|'Prompt\tCategory\n'|has no prompt in it: write one a line, below the names of the columns",
                "other.tsv|'Text\tCategory\na\tb\n'|has no column 'Prompt': its first line names Text, Category",
                "tabs.txt|'a\tb\n'|has no column 'Prompt'",
                "hole.tsv|'Prompt\tCategory\na\tb\n\tc\n'|Line 3 of the prompt file"
            })
    void aFileWithoutPromptsIsRefused(String name, String text, String message) throws IOException {
        Path file = file(name, text);
        assertThatThrownBy(() -> Prompts.read(file))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(file.toString());
    }

    @Test
    void aMissingFileAndAnotherEncodingAreNamed() throws IOException {
        assertThatThrownBy(() -> Prompts.read(folder.resolve("none.txt")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("There is no prompt file");
        Path latin = Files.write(folder.resolve("latin.txt"), "größer".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> Prompts.read(latin))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is not UTF-8");
    }

    @Test
    void aLongerDrawBeginsWithTheShorterOnes() {
        Prompts motifs = Prompts.of(Motifs.load());
        Prompts five = motifs.draw(5, 99);
        assertThat(motifs.draw(9, 99).all().subList(0, 5)).isEqualTo(five.all());
        assertThat(five.all().get(0).motif()).hasValue(1291);
        assertThat(motifs.draw(5, 98)).isNotEqualTo(five);
        assertThat(five.fingerprint()).hasSize(16).isNotEqualTo(motifs.fingerprint());
        assertThatThrownBy(() -> five.draw(6, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("samples is 6: it must be from 1 to 5, which is how many prompts motifs has");
    }
}
