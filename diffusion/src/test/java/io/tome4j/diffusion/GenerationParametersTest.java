package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.merging.ToMeOptions.Method;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.TomeException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationParametersTest {
    private static final Request APPLE = Request.of("a red apple")
            .negativePrompt("blurry")
            .scheduler("euler_a")
            .steps(20)
            .seed(42)
            .size(512, 768);

    private static GenerationParameters with(Request request) {
        return GenerationParameters.of(request)
                .model("tiny")
                .scheduler("pndm")
                .dtype(DType.BF16)
                .version("tome4j 1.0");
    }

    private static GenerationParameters with(Request request, ToMeOptions merging) {
        return with(request.merging(merging));
    }

    @Test
    void theTextHasTheFormOfTheWebUi() {
        assertThat(with(APPLE, ToMeOptions.ratio(0.5)).toText())
                .isEqualTo(
                        "a red apple\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42,"
                                + " Size: 512x768, Model: tiny, Token merging ratio: 0.5, Precision: bf16, Version: tome4j 1.0");
    }

    @Test
    void whatWasNotMergedIsReadBackAsThat() {
        var parsed = GenerationParameters.parse(with(APPLE, ToMeOptions.NONE).toText());
        assertThat(parsed.request().merging()).contains(ToMeOptions.NONE);
    }

    @Test
    void onlyMergingOptionsOtherThanTheDefaultsAreSaid() {
        var options = ToMeOptions.ratio(0.25)
                .maxDownsample(2)
                .stride(4, 3)
                .useRand(false)
                .mergeMlp(true)
                .mode(Mode.TOMESD);
        assertThat(with(APPLE, options).toText())
                .contains(
                        "Token merging ratio: 0.25, Token merging maximum down sampling: 2, Token merging stride x: 4,"
                                + " Token merging stride y: 3, Token merging random: False, Token merging merge mlp: True,"
                                + " Token merging mode: tomesd, ");
        var shared = ToMeOptions.ratio(0.25)
                .method(Method.QUERY)
                .matchPer(MatchPer.BLOCK)
                .matchEvery(3)
                .matchTogether(true)
                .matchPrecision(Precision.BF16)
                .auto(true);
        assertThat(with(APPLE, shared).toText())
                .contains("Token merging ratio: 0.25, Token merging method: query, Token merging match per: block,"
                        + " Token merging match every: 3, Token merging match together: True,"
                        + " Token merging match precision: bf16, Token merging auto: True, ");
        assertThat(with(APPLE).toText()).doesNotContain("Token merging");
    }

    @Test
    void aValueThatWouldBreakTheLineIsQuoted() {
        var parameters = GenerationParameters.of(APPLE)
                .model("C:\\models\\a, \"b\"")
                .attention(AttentionKernel.NAIVE)
                .dtype(DType.FP32);
        assertThat(parameters.toText()).contains("Model: \"C:\\\\models\\\\a, \\\"b\\\"\", Attention: naive");
        assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "\n",
                "a\n\nb",
                " spaces around ",
                "line\r\nbreaks\tand tabs",
                "Negative prompt: not one",
                "a\nNegative prompt: not one",
                "a\n  Negative prompt:",
                "Steps: 1, Sampler: LMS, CFG scale: 1, Seed: 3",
                "a\nSteps: 1, Sampler: LMS, CFG scale: 1, Seed: 3, Size: 64x64",
                "\"quoted\", and \\escaped\\n",
                "über, żółw, 日本語, 🦜",
                "half a character \ud83e, and \udd9c",
                "nothing \u0000 and a bell \u0007 and \u0085",
                "\u2028\u00a0"
            })
    void anyPromptIsReadBack(String prompt) {
        for (String negative : new String[] {"", "blurry", prompt}) {
            var parameters = with(APPLE.prompts(List.of(prompt)).negativePrompt(negative));
            assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
            var several = with(APPLE.prompts(List.of(prompt, "b", prompt)).negativePrompt(negative));
            assertThat(GenerationParameters.parse(several.toText())).isEqualTo(several);
        }
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void anyParametersAreReadBack(int seed) {
        var parameters = draw(new Random(seed));
        assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
    }

    private static GenerationParameters draw(Random random) {
        List<String> prompts = new ArrayList<>();
        for (int i = random.nextInt(4) / 2; i >= 0; i--) {
            prompts.add(drawText(random));
        }
        var names = Schedulers.names();
        var request = Request.of(prompts.toArray(String[]::new))
                .negativePrompt(drawText(random))
                .guidanceScale(
                        random.nextBoolean()
                                ? random.nextInt(20)
                                : random.nextGaussian() * Math.pow(10, random.nextInt(9)))
                .steps(1 + random.nextInt(1000))
                .scheduler(random.nextBoolean() ? Request.CHECKPOINTS_OWN : names.get(random.nextInt(names.size())))
                .seed(random.nextLong())
                .size(8 * random.nextInt(300), 8 * random.nextInt(300))
                .imagesPerPrompt(1 + random.nextInt(4))
                .guidanceInterval(random.nextInt(2) * random.nextDouble(), random.nextInt(3) / 2.0)
                .reuseEvery(1 + random.nextInt(3))
                .reuseBranch(random.nextInt(12))
                .reuseSchedule(ReuseSchedule.Spacing.values()[random.nextInt(2)])
                .reuseCenter(random.nextDouble())
                .reusePower(1 + random.nextDouble());
        var options = drawMerging(random);
        var parameters = GenerationParameters.of(random.nextBoolean() ? request : request.merging(options))
                .index(random.nextInt(request.images()))
                .initialLatents(random.nextBoolean())
                .model(drawText(random))
                .scheduler(random.nextBoolean() ? "" : names.get(random.nextInt(names.size())))
                .attention(AttentionKernel.values()[random.nextInt(3)])
                .version(drawText(random));
        int dtype = random.nextInt(4);
        return dtype == 3 ? parameters : parameters.dtype(DType.values()[dtype]);
    }

    private static ToMeOptions drawMerging(Random random) {
        var options = ToMeOptions.ratio(random.nextDouble())
                .maxDownsample(1 << random.nextInt(4))
                .stride(1 + random.nextInt(4), 1 + random.nextInt(4))
                .useRand(random.nextBoolean())
                .auto(random.nextBoolean());
        var parts = options.mergeAttn(random.nextBoolean())
                .mergeCrossattn(random.nextBoolean())
                .mergeMlp(random.nextBoolean());
        return switch (random.nextInt(4)) {
            case 0 -> parts.mode(Mode.TOMESD);
            case 1 -> options.method(Method.TODO);
            case 2 -> options.sizeWeighted(true);
            default ->
                parts.method(random.nextBoolean() ? Method.TOME : Method.QUERY)
                        .matchPer(MatchPer.values()[random.nextInt(2)])
                        .matchEvery(1 + random.nextInt(5))
                        .matchTogether(random.nextBoolean())
                        .matchPrecision(Precision.values()[random.nextInt(3)]);
        };
    }

    private static final String[] PIECES = {
        "cat",
        " ",
        ",",
        ":",
        "\n",
        "\"",
        "\\",
        "Negative prompt:",
        "Steps: 3",
        "é",
        "🦜",
        "\ud83e",
        "\udd9c",
        "\r",
        "\t",
        "[",
        "]",
        "{}",
        "\\u0041",
        "Seed: 1, ",
        "\u0000",
        "\u2028",
        "(x:1.2)",
        "<lora:a:1>"
    };

    private static String drawText(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    @Test
    void theTextIsOneThatUtf8CanCarry() {
        for (int seed = 0; seed < 300; seed++) {
            String text = draw(new Random(seed)).toText();
            var bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            assertThat(new String(bytes, java.nio.charset.StandardCharsets.UTF_8))
                    .isEqualTo(text)
                    .doesNotContain("\u0000");
        }
    }

    @Test
    void eachImageOfABatchCarriesItsOwnPrompt() {
        var request = APPLE.prompts(List.of("one", "two")).imagesPerPrompt(2);
        var third = GenerationParameters.of(request).index(2);
        assertThat(third.toText()).startsWith("two\n").contains("Batch size: 4, Batch pos: 2");
        assertThat(GenerationParameters.parse(third.toText())).isEqualTo(third);
    }

    @Test
    void givenLatentsAreNotedAndNotKept() {
        try (var scope = io.tome4j.tensor.TensorScope.open()) {
            var latents = Latents.of(io.tome4j.tensor.Tensors.of(new float[4], 1, 4, 1, 1));
            var parameters = with(APPLE.size(8, 8).latents(latents));
            assertThat(parameters.initialLatents()).isTrue();
            assertThat(parameters.toText()).contains("Initial latents: given");
            assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DPM++ 2M Karras,dpmpp_2m_karras",
        "PLMS,pndm",
        "DDIM,ddim",
        "euler A,euler_a",
        "UniPC,unipc",
        "LCM,lcm",
        "Restart,Restart"
    })
    void samplersAreKnownByTheirNamesInTheWebUi(String sampler, String scheduler) {
        var parsed = GenerationParameters.parse("x\nSteps: 20, Sampler: " + sampler + ", CFG scale: 7, Seed: 1");
        assertThat(parsed.request().scheduler()).isEqualTo(scheduler);
    }

    @Test
    void aTextOfTheWebUiIsReadAndWhatWeDoNotKnowPassedOver() {
        var parsed = GenerationParameters.parse("masterpiece, (cat:1.2) <lora:x:0.7>\nsecond line\nNegative prompt: bad"
                + " hands,\nblurry\nSteps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed:"
                + " 2842137543, Size: 512x768, Model hash: 6ce0161689, Model: v1-5, Denoising strength: 0.4, Clip skip:"
                + " 2, Token merging ratio: 0.3, Lora hashes: \"x: 12ab, y: 34cd\", Version: v1.9.3\n");
        assertThat(parsed.request())
                .isEqualTo(Request.of("masterpiece, (cat:1.2)\nsecond line")
                        .loras(Lora.named("x").weight(0.7).hash("12ab"))
                        .negativePrompt("bad hands,\nblurry")
                        .clipSkip(1)
                        .steps(28)
                        .strength(0.4)
                        .scheduler("dpmpp_2m_karras")
                        .guidanceScale(7)
                        .seed(2842137543L)
                        .size(512, 768)
                        .merging(ToMeOptions.ratio(0.3)));
        assertThat(parsed.merging()).isEqualTo(ToMeOptions.ratio(0.3));
        assertThat(parsed.model()).isEqualTo("v1-5");
        assertThat(parsed.version()).isEqualTo("v1.9.3");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "just a prompt|no generation parameters",
                "x / Steps: many, Sampler: Euler, Seed: 1|'Steps: many' should be a whole number",
                "x / Steps: 99999999999, Seed: 1|integer overflow",
                "x / Steps: 20, Sampler: Euler|there is no 'Seed'",
                "x / Steps: 20, Seed: 1, CFG scale: much|'CFG scale: much' should be a number",
                "x / Steps: 20, Seed: 1, Size: large|'Size: large' should be a size such as 512x512",
                "x / Steps: 20, Seed: 1, Size: 100x64|width is 100",
                "x / Steps: 0, Seed: 1|num_inference_steps is 0",
                "x / Steps: 1, Seed: 1, Token merging ratio: 1.5|ratio is 1.5",
                "x / Steps: 1, Seed: 1, Batch pos: 3|There is no image 3"
            })
    void whatCannotBeIsSaid(String text, String message) {
        assertThatThrownBy(() -> GenerationParameters.parse(text.replace(" / ", "\n")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message);
    }

    /** As A1111's parser: each line that starts with the words loses them. */
    @Test
    void aNegativePromptWithLinesThatLookLikeItsBeginningIsReadAsItWasByTheWebUiToo() {
        String negative = "bad\nNegative prompt: x\n  Negative prompt:\ny";
        String text = with(APPLE.negativePrompt(negative)).toText();
        List<String> lines = List.of(text.split("\n"));
        List<String> read = new ArrayList<>();
        boolean done = false;
        for (String line : lines.subList(0, lines.size() - 1)) {
            String stripped = line.strip();
            if (stripped.startsWith("Negative prompt:")) {
                done = true;
                stripped = stripped.substring(16).strip();
            }
            if (done) {
                read.add(stripped);
            }
        }
        assertThat(String.join("\n", read)).isEqualTo("bad\nNegative prompt: x\nNegative prompt:\ny");
        assertThat(GenerationParameters.parse(text).request().negativePrompt()).isEqualTo(negative);
    }

    @Test
    void seedsAboveHalfOfTheirRangeAreReadAndWrittenWithoutASign() {
        var parsed = GenerationParameters.parse("x\nSteps: 20, Seed: 18446744073709551615");
        assertThat(parsed.request().seed()).isEqualTo(-1);
        assertThat(parsed.toText()).contains("Seed: 18446744073709551615");
        assertThat(OptionsJson.of(parsed.request(), List.of(Request.SEED)))
                .hasToString("{\"seed\":18446744073709551615}");
    }

    @Test
    void barsInPlaceOfCommasAreRead() {
        var request = GenerationParameters.parse(
                        "prompt: a cat\nNegative prompt: dog\nVersion: aa62f6d,\nSteps: 25 | Seed:"
                                + " 1879635471 | Sampler: Euler a | CFG scale: 7 | Size: 768x512")
                .request();
        assertThat(request.steps()).isEqualTo(25);
        assertThat(request.seed()).isEqualTo(1879635471L);
        assertThat(request.scheduler()).isEqualTo("euler_a");
        assertThat(request.width()).isEqualTo(768);
    }

    @Test
    void linesOfTemplatesAfterTheParametersArePassedOver() {
        var request = GenerationParameters.parse(
                        "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7,"
                                + " Seed: 123, Size: 512x768\nTemplate: a {cat|dog}, red\nNegative Template: dog")
                .request();
        assertThat(request.negativePrompt()).isEqualTo("dog");
        assertThat(request.seed()).isEqualTo(123);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Steps: 20, CFG scale: None, Seed: 12, Size: 512x768|'CFG scale: None' should be a number",
                "Steps: 20, Sampler: Euler a, Size: 512x768|there is no 'Seed'",
                "Steps: 20, Seed: 12, Size: 500x333|width is 500",
                "Steps: 0, Seed: 12|num_inference_steps is 0"
            })
    void whatTomeCouldNotMakeAgainCanStillBeRead(String line, String problem) {
        ReadParameters read = ReadParameters.of("a cat\nNegative prompt: dog\n" + line);
        assertThat(read.parameters()).isEmpty();
        assertThat(read.problem()).contains(problem);
        assertThat(read.prompt()).isEqualTo("a cat");
        assertThat(read.negativePrompt()).isEqualTo("dog");
        assertThat(read.wholeNumber("Steps")).isPresent();
    }

    @Test
    void eachValueIsReadByItselfWhateverItsRange() {
        ReadParameters read =
                ReadParameters.of("a cat\nSteps: 0, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: None,"
                        + " Seed: 18446744073709551616, Size: 500x9999999, Token merging ratio: 0.5, Clip skip: 2.5");
        assertThat(read.parameters()).isEmpty();
        assertThat(read.wholeNumber("Steps")).contains(BigInteger.ZERO);
        assertThat(read.scheduler()).contains("dpmpp_2m_karras");
        assertThat(read.number("CFG scale")).isEmpty();
        assertThat(read.wholeNumber("Seed")).contains(BigInteger.TWO.pow(64));
        assertThat(read.width()).contains(500L);
        assertThat(read.height()).contains(9_999_999L);
        assertThat(read.merging()).contains(ToMeOptions.ratio(0.5));
        assertThat(read.number("Clip skip")).contains(new BigDecimal("2.5"));
        assertThat(read.wholeNumber("Clip skip")).isEmpty();
    }

    @Test
    void aVeryLongTextIsReadBack() {
        var parameters = with(APPLE.prompts(List.of("\"\\ ".repeat(100_000))));
        assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
    }
}
