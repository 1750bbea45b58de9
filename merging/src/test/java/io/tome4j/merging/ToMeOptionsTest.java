package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.ToMeOptions.Method;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.OptionException;
import org.junit.jupiter.api.Test;

class ToMeOptionsTest {
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);

    @Test
    void optionsChosenInAnyOrderAreEqualAndSoAreDefaultsThatWereSaid() {
        assertThat(HALF.mergeMlp(true).stride(4, 2)).isEqualTo(HALF.stride(4, 2).mergeMlp(true));
        assertThat(HALF.mergeMlp(true).mergeMlp(false)).isEqualTo(HALF).hasSameHashCodeAs(HALF);
        // other models have another default, so that this one is a choice
        assertThat(HALF.maxDownsample(1)).isNotEqualTo(HALF);
        assertThat(HALF.maxDownsample(1).identity()).isEqualTo("ratio=0.5 max_downsample=1");
        assertThat(HALF.mergeMlp(true)).isNotEqualTo(HALF);
    }

    @Test
    void resultsAreKnownByTheRatioAndWhatIsNotUsual() {
        assertThat(HALF.identity()).isEqualTo("ratio=0.5");
        assertThat(HALF.matchEvery(2).method(Method.QUERY).maxDownsample(8).identity())
                .isEqualTo("ratio=0.5 max_downsample=8 method=query match_every=2");
        assertThat(HALF.mode(Mode.TOMESD).identity()).isEqualTo("ratio=0.5 mode=tomesd");
        assertThat(HALF.mergeMlp(true).withRatio(0).identity()).isEqualTo("off");
    }

    @Test
    void everyOptionIsReadBackAsItIsWritten() {
        ToMeOptions options = ToMeOptions.ratio(0.3)
                .maxDownsample(4)
                .stride(3, 4)
                .useRand(false)
                .mergeMlp(true)
                .method(Method.QUERY)
                .matchPrecision(Precision.BF16)
                .matchTogether(true);
        ToMeOptions read = ToMeOptions.NONE;
        for (var option : ToMeOptions.OPTIONS) {
            read = read.withText(option, options.text(option));
        }
        assertThat(read).isEqualTo(options);
    }

    @Test
    void anErrorCarriesTheOptionsNameSoThatAProgramCanSayItInItsUsersWords() {
        assertThatThrownBy(() -> HALF.method(Method.TODO).mergeMlp(true))
                .isInstanceOfSatisfying(OptionException.class, e -> {
                    assertThat(e.option()).isEqualTo("method");
                    assertThat(e.message(name -> "--" + name.replace('_', '-')))
                            .isEqualTo(
                                    "--method todo samples the keys and values of self-attention: --merge-crossattn and"
                                            + " --merge-mlp need --method tome or query");
                });
    }

    @Test
    void whatAUserWroteStandsInTheMessageAsItIs() {
        assertThatThrownBy(() -> HALF.withText(ToMeOptions.METHOD, "{sx}"))
                .isInstanceOfSatisfying(OptionException.class, e -> assertThat(e.message(name -> "--" + name))
                        .isEqualTo("--method is '{sx}': it must be one of tome, todo, query"));
    }

    @Test
    void aTextThatIsNoValueSaysWhatWouldBe() {
        assertThatThrownBy(() -> HALF.withText(ToMeOptions.METHOD, "best"))
                .isInstanceOf(OptionException.class)
                .hasMessage("method is 'best': it must be one of tome, todo, query");
        assertThatThrownBy(() -> HALF.withText(ToMeOptions.SX, "two"))
                .hasMessage("sx is 'two': it must be a whole number");
        assertThatThrownBy(() -> HALF.withText(ToMeOptions.AUTO, "yes"))
                .hasMessage("auto is 'yes': it must be true or false");
    }
}
