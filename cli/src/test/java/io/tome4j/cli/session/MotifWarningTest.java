package io.tome4j.cli.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.emoji.Motifs;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MotifWarningTest {
    private static final List<Motifs.Motif> MOTIFS = Motifs.list();

    private static ChosenModel model() {
        return new ModelOptions().choose();
    }

    @Test
    void everyMotifIsOneOnAnyBackground() {
        ChosenModel embedded = model();
        assertThat(MOTIFS.stream()
                        .flatMap(
                                motif -> List.of(motif.prompt(), motif.name() + " on a light blue background").stream())
                        .filter(prompt -> MotifWarning.about(prompt, embedded).isPresent())
                        .collect(Collectors.toList()))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Red apples", "a shiny red apple", "a red aple", "Goat!", "", "  "})
    void whatIsNearlyAMotifIsOne(String prompt) {
        assertThat(MotifWarning.about(prompt, model())).isEmpty();
    }

    @Test
    void whatIsNoneIsSaidWithTheNearest() {
        String warning = MotifWarning.about("a photo of an astronaut riding a horse on mars", model())
                .orElseThrow();
        assertThat(warning).contains("none of the motifs", "an astronaut", "a horse", "tome models --motifs");
        assertThat(MotifWarning.about("xyzzy", model()).orElseThrow()).doesNotContain("nearest");
        assertThat(MotifWarning.about("word ".repeat(100_000), model()).orElseThrow())
                .hasSizeLessThan(400);
        assertThat(MotifWarning.about("xyzzy", new ChosenModel("x", Optional.empty(), PipelineOptions.DEFAULT)))
                .isEmpty();
    }
}
