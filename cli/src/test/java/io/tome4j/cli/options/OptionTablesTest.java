package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.cli.Program;
import io.tome4j.diffusion.Request;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Goes over the library's tables, so that a new option is tested as soon as it is there. */
class OptionTablesTest {
    static Stream<Option<?>> mergingOptions() {
        return ToMeOptions.OPTIONS.stream();
    }

    static Stream<Option<?>> requestOptions() {
        return Request.OPTIONS.stream();
    }

    private static ToMeOptions merging(String... args) {
        MergingOptions options = new MergingOptions(0.5);
        Parsed.group(options.group("Token merging", 1), args);
        return options.options();
    }

    /** A value that the option does not have unless somebody says so. */
    private static String other(Option<?> option) {
        if (option.isFlag()) {
            return String.valueOf(option.defaultValue().equals(false));
        }
        if (option.defaultValue() instanceof Enum<?> usual) {
            Object[] constants = usual.getDeclaringClass().getEnumConstants();
            return LowerCase.name((Enum<?>) constants[(usual.ordinal() + 1) % constants.length]);
        }
        if (option.equals(Request.HIRES)) {
            return "1.75";
        }
        if (option.equals(Request.EXTEND)) {
            return "8,0,16,24";
        }
        if (option.name().matches("timesteps|sigmas")) {
            return "4,2,0";
        }
        if (option.defaultValue() instanceof String) {
            return option.name().endsWith("_size") ? "640x512" : option.name().contains("crops") ? "3,4" : "euler_a";
        }
        if (option.defaultValue() instanceof Double usual) {
            return usual > 1 ? "1.75" : "0.75";
        }
        return option.name().matches("width|height") ? "64" : "4";
    }

    private static String[] given(Option<?> option) {
        String name = OptionNames.of(option);
        return !option.isFlag()
                ? new String[] {name, other(option)}
                : new String[] {other(option).equals("true") ? name : name.replace("--", "--no-")};
    }

    @ParameterizedTest
    @MethodSource("mergingOptions")
    void anOptionOfMergingArrivesAndIsWrittenBack(Option<?> option) {
        ToMeOptions options = merging(given(option));
        assertThat(options.text(option)).isEqualTo(other(option));
        assertThat(options).isEqualTo(ToMeOptions.ratio(0.5).withText(option, other(option)));
        assertThat(merging(MergingArguments.of(options).split(" "))).isEqualTo(options);
    }

    @ParameterizedTest
    @MethodSource("requestOptions")
    void anOptionOfARequestArrives(Option<?> option) {
        SamplingOptions options = new SamplingOptions();
        Parsed.group(options.group("Image", 1), given(option));
        Request request = options.request("x", new ModelOptions().choose());
        assertThat(request.text(option)).isEqualTo(other(option));
    }

    private static Request requested(String... args) {
        SamplingOptions options = new SamplingOptions();
        Parsed.group(options.group("Image", 1), args);
        return options.request("x", new ModelOptions().choose());
    }

    @Test
    void whatDiffusersCallsAnOptionGoesAsWell() {
        Request request = requested(
                "--seed",
                "1",
                "--num-inference-steps",
                "7",
                "--guidance-scale",
                "3.5",
                "--negative-prompt",
                "y",
                "--num-images-per-prompt",
                "2");
        assertThat(request)
                .isEqualTo(requested(
                        "--seed", "1", "--steps", "7", "--guidance", "3.5", "--negative", "y", "--count", "2"));
        assertThat(request.steps()).isEqualTo(7);
    }

    @Test
    void anIntervalOfGuidanceIsShortForItsEnds() {
        Request request = requested("--guidance-interval", "0.25, 0.75");
        assertThat(request.guidanceFrom()).isEqualTo(0.25);
        assertThat(request.guidanceTo()).isEqualTo(0.75);
        assertThatThrownBy(() -> requested("--guidance-interval", "0.5"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("two shares of the steps");
        assertThatThrownBy(() -> requested("--guidance-interval", "0.5,1.5"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("guidance_to");
        assertThatThrownBy(() -> requested("--guidance-interval", "0,1", "--guidance-to", "0.5"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("--guidance-to is given too");
    }

    @Test
    void helpSaysWhatEachOptionDoes() {
        String help = Program.run("generate", "--help").out().replaceAll("\\s+", " ");
        Stream.concat(mergingOptions(), requestOptions()).forEach(option -> {
            assertThat(option.description()).isNotEmpty();
            assertThat(help)
                    .contains(OptionNames.of(option).substring(2))
                    .contains(option.description().replaceFirst("\\.$", ""));
        });
        assertThat(help)
                .contains("--[no-]merge-attn", "--[no-]rand", "(default: on)", "Denoising steps (default: 20, or")
                .contains("--match-per=block|side|level", "(default: side; with --tomesd block)");
    }

    static Stream<ToMeOptions> settings() {
        ToMeOptions usual = ToMeOptions.ratio(0.35);
        return Stream.of(
                ToMeOptions.NONE,
                usual,
                usual.maxDownsample(4)
                        .stride(3, 1)
                        .useRand(false)
                        .mergeMlp(true)
                        .sizeWeighted(true),
                usual.mergeAttn(false).mergeCrossattn(true).auto(true),
                usual.method(ToMeOptions.Method.QUERY)
                        .matchPer(ToMeOptions.MatchPer.BLOCK)
                        .matchEvery(3)
                        .matchTogether(true)
                        .matchPrecision(Precision.BF16),
                usual.method(ToMeOptions.Method.TODO),
                usual.mode(ToMeOptions.Mode.TOMESD).maxDownsample(2));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void theArgumentsShownMakeTheOptionsAgain(ToMeOptions options) {
        assertThat(merging(MergingArguments.of(options).split(" "))).isEqualTo(options);
    }

    @Test
    void tomesdAndAutoHaveASecondForm() {
        assertThat(merging("--tomesd")).isEqualTo(merging("--mode", "tomesd"));
        assertThat(merging("--tomesd").matchPer()).isEqualTo(ToMeOptions.MatchPer.BLOCK);
        assertThat(merging("--merging", "auto")).isEqualTo(merging("--auto"));
        assertThat(List.of(merging("--merging", "off"), merging("--ratio", "0")))
                .containsOnly(ToMeOptions.NONE);
    }
}
