package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraFolderTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void fill() throws IOException {
        Files.createDirectories(folder.resolve("styles"));
        Files.createDirectories(folder.resolve("people"));
        for (String name : List.of("pixel_art", "styles/watercolour", "styles/twice", "people/twice")) {
            Files.createFile(folder.resolve(name + ".safetensors"));
        }
    }

    private Request resolve(String prompt) {
        return LoraFolder.of(folder).resolve(Request.of(prompt).seed(1));
    }

    private Path file(String name) {
        return folder.resolve(name + ".safetensors");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a cat <lora:pixel_art:0.8>|a cat|0.8|0.8",
                "a cat<lora:pixel_art>|a cat|1|1",
                "a <lora:pixel_art:0.5:0.8> cat|a cat|0.8|0.5",
                "a cat, <lyco:pixel_art:unet=0.7:te=0.2>, sitting|a cat,, sitting|0.7|0.2",
                "<lora:pixel_art:-1> a cat|' a cat'|-1|-1"
            })
    void tagsAreCutOutAndSayHowStrongly(String prompt, String rest, double weight, double textWeight) {
        Request request = resolve(prompt);
        assertThat(request.prompts()).containsExactly(rest);
        assertThat(request.loras())
                .containsExactly(Lora.of(file("pixel_art")).weight(weight).textWeight(textWeight));
    }

    @Test
    void severalAreAddedInOrderAfterTheRequestsOwn() {
        Lora own = Lora.of(Path.of("own.safetensors"));
        Request request = LoraFolder.of(folder)
                .resolve(Request.of("x <lora:watercolour:0.5> y <lora:pixel_art:0.3><lora:pixel_art:0.1>")
                        .loras(own));
        assertThat(request.prompts()).containsExactly("x y");
        assertThat(request.loras())
                .extracting(Lora::name)
                .containsExactly("own", "watercolour", "pixel_art", "pixel_art");
        assertThat(request.loras().get(1).file()).contains(file("styles/watercolour"));
    }

    @Test
    void tagsOfTheSecondPromptAreCutOutAndAddedUnlessTheFirstNamesTheSame() {
        Request asked = Request.of("a cat <lora:pixel_art:0.8>")
                .with(Request.PROMPT_2, "a fox <lora:pixel_art:0.8> <lora:watercolour:0.3>");
        Request request = LoraFolder.of(folder).resolve(asked);
        assertThat(request.get(Request.PROMPT_2)).isEqualTo("a fox");
        assertThat(request.loras())
                .containsExactly(
                        Lora.of(file("pixel_art")).weight(0.8),
                        Lora.of(file("styles/watercolour")).weight(0.3));
    }

    @Test
    void anUnknownNameSaysWhichAreAlike() {
        assertThatThrownBy(() -> resolve("a cat <lora:pixelart:0.8>"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("'pixelart'")
                .hasMessageContaining("pixel_art")
                .hasMessageNotContaining("watercolour");
    }

    @Test
    void aNameOfTwoFilesNeedsItsFolder() {
        assertThatThrownBy(() -> resolve("<lora:twice:1>"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("people/twice, styles/twice");
        assertThat(resolve("<lora:people/twice:1>").loras().get(0).file()).contains(file("people/twice"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<lora:pixel_art:strong>",
                "<lora:pixel_art:1:1:1>",
                "<lora:pixel_art:1:lbw=2>",
                "<lora:pixel_art:>"
            })
    void aWeightThatIsNoneIsAnError(String tag) {
        assertThatThrownBy(() -> resolve("a cat " + tag))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining(tag)
                .hasMessageContaining("<lora:name:0.8>");
    }

    @Test
    void aTagOfAHundredThousandPartsIsAWrongTagAndNothingWorse() {
        String tag = "<lora:pixel_art" + ":".repeat(100_000) + ">";
        assertThatThrownBy(() -> resolve("a cat " + tag)).isInstanceOf(OptionException.class);
        GenerationParameters parameters =
                GenerationParameters.of(Request.of("a cat " + tag).seed(1));
        assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
    }

    @Test
    void moreThanAHundredAreTooMany() {
        String tag = "<lora:pixel_art:0.01>";
        assertThat(resolve("a cat " + tag.repeat(100)).loras()).hasSize(100);
        assertThatThrownBy(() -> resolve("a cat " + tag.repeat(101)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("101 LoRAs");
    }

    @Test
    void promptsDrawnTogetherNameTheSame() {
        Request both = Request.of("a cat <lora:pixel_art:1>", "a dog");
        assertThatThrownBy(() -> LoraFolder.of(folder).resolve(both))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("make a request of each");
    }

    @Test
    void anImagesLoraMustBeTheSameFile() {
        Request read = Request.of("a cat").loras(Lora.named("kohya").hash("0123456789ab"));
        Path fixtures = io.tome4j.fixtures.Fixtures.path("lora");
        assertThatThrownBy(() -> LoraFolder.of(fixtures).resolve(read))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("0123456789ab");
    }

    @Test
    void aMissingFolderIsAnError() {
        assertThatThrownBy(() -> LoraFolder.of(folder.resolve("none")))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("no such folder");
    }

    @ParameterizedTest
    @CsvSource({
        "style.safetensors, style, 1, 1",
        "a/style.v2.safetensors:0.8, style.v2, 0.8, 0.8",
        "style.safetensors:0.8:0.5, style, 0.8, 0.5",
        "C:/models/style.safetensors:.5:-1e-1, style, 0.5, -0.1"
    })
    void aFileMayHaveWeightsBehindIt(String text, String name, double weight, double textWeight) {
        Lora lora = Lora.parse(text);
        assertThat(lora.name()).isEqualTo(name);
        assertThat(lora.weight()).isEqualTo(weight);
        assertThat(lora.textWeight()).isEqualTo(textWeight);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a cat",
                "a cat <lora:words:1>", // words, where no LoRA was added
                "a <lora:words:wrong> cat",
                " spaces <lora:a:1> "
            })
    void parametersGiveBackPromptAndLoras(String prompt) {
        for (List<Lora> loras : List.of(
                List.<Lora>of(),
                List.of(
                        Lora.named("a").weight(0.25).hash("0123456789ab"),
                        Lora.named("b").textWeight(2)))) {
            GenerationParameters parameters = GenerationParameters.of(
                            Request.of(prompt, prompt + "!").loras(loras))
                    .index(1);
            assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
            parameters = GenerationParameters.of(Request.of(prompt).loras(loras));
            assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
        }
    }
}
