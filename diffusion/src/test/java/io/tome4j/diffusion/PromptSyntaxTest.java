package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.prompt.Emphasis;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.prompt.ScheduledText.Steps;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Prompts in the web UI's syntax together with what else a request may ask for. */
class PromptSyntaxTest {
    private static final Guidance GUIDED = new Guidance(5);
    private static final Guidance UNGUIDED = new Guidance(1);
    private static StableDiffusionPipeline pipeline;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Request request(String... prompts) {
        return Request.of(prompts)
                .promptSyntax(PromptSyntax.A1111)
                .seed(7)
                .steps(4)
                .scheduler("euler")
                .size(64, 64);
    }

    private static double difference(Request a, Request b) {
        return Fixtures.maxDifference(
                pipeline.generate(a).latents().tensor(),
                pipeline.generate(b).latents().tensor());
    }

    @Test
    void aPromptWithoutSyntaxGivesTheImageOfAPlainOne() {
        Request request = request("a rusty robot").negativePrompt("blurry");
        assertThat(difference(request, request.promptSyntax(PromptSyntax.PLAIN)))
                .isLessThan(1e-4);
        assertThat(difference(request, request.prompts(List.of("a (rusty:1.5) robot"))))
                .isGreaterThan(1e-2);
    }

    @Test
    void aTextOfOneSpanIsConditionedOnOnceAndAnotherWhereItChanges() {
        List<double[]> conditioned = new ArrayList<>();
        Denoiser denoiser = (Denoiser) Proxy.newProxyInstance(
                Denoiser.class.getClassLoader(), new Class<?>[] {Denoiser.class}, (proxy, method, arguments) -> {
                    conditioned.add((double[]) arguments[1]);
                    return (Denoiser.Conditioned) (latents, timestep, context, pass) -> latents;
                });
        double[] timesteps = {900, 700, 700, 500, 300, 100}; // the second and third belong to one step
        try (var scope = TensorScope.open()) {
            TextConditioning text = TextConditioning.of(Tensors.of(new float[2], 1, 1, 2));
            TextTimeline timeline = TextTimeline.of(List.of(2, 4, 5), span -> text, Composition.PLAIN);
            try (var spans = new ConditionedSpans(denoiser, timeline, timesteps)) {
                for (int i = 0; i < timesteps.length; i++) {
                    spans.at(i);
                }
            }
        }
        assertThat(conditioned)
                .containsExactly(new double[] {900, 700, 700}, new double[] {500, 300}, new double[] {100});
    }

    @Test
    void textsThatAreEqualAreOneSpan() {
        ComposedPrompts prompts = ComposedPrompts.of(request("[a:a:2] [b:c:3]"), GUIDED, new Steps(5, 0));
        assertThat(prompts.lastSteps()).containsExactly(3, 5);
        assertThat(prompts.texts().get(1).variants()).hasSize(2);
        assertThat(ComposedPrompts.of(request("[a|b]"), GUIDED, new Steps(4, 0)).lastSteps())
                .containsExactly(1, 2, 3, 4);
    }

    @Test
    void anotherPassCountsItsStepsBehindTheFirst() {
        ComposedPrompts prompts = ComposedPrompts.of(request("[a:b:1.5] [c:d:12]"), GUIDED, new Steps(6, 10));
        assertThat(prompts.lastSteps()).containsExactly(2, 3, 6);
    }

    @Test
    void inTheSecondPassOfHiresFixTextsChangeBehindTheFirst() {
        Request hires = request("a robot").steps(3).hires(2);
        Request second = hires.prompts(List.of("[a robot:the harbour:1.5]"));
        assertThat(difference(hires, hires.prompts(List.of("[a robot:the harbour:0.99]"))))
                .as("in the first pass alone it would change after 2 of 3 steps, in the second it has changed")
                .isGreaterThan(1e-3);
        assertThat(difference(hires, second)).isGreaterThan(1e-3);
        assertThat(difference(hires, hires.prompts(List.of("[a robot:the harbour:6]"))))
                .isZero();
        assertThat(difference(request("a robot"), request("[a robot:the harbour:1.5]")))
                .as("without a second pass it does not change")
                .isZero();
    }

    @Test
    void anImageToBeginWithLeavesTheStepsOfTheRequestToCountBy() {
        Pixels grey = Pixels.grey(64, 64, new byte[64 * 64]).toRgb();
        Request half = request("a robot").steps(4).start(Start.from(SourceImage.of(grey), 0.5));
        assertThat(difference(half, half.prompts(List.of("[a robot:oil:1]")))).isGreaterThan(1e-3);
        assertThat(difference(half, half.prompts(List.of("[a robot:oil:0.5]")))).isZero();
    }

    @Test
    void partsAreAddedUpByTheirWeights() {
        try (var scope = TensorScope.open()) {
            Tensor predicted = Tensors.of(new float[] {1, 2, 3, 5, 7, 11}, 6, 1, 1, 1); // two images
            Composition composition = new Composition(List.of(List.of(1.0, 1.0), List.of(0.5, 0.0)));
            assertThat(composition.copies(GUIDED)).isEqualTo(3);
            assertThat(Tensors.floats(composition.joined(predicted, GUIDED)))
                    .containsExactly(1, 2, 1 + (3 - 1) + 0.5f * (7 - 1), 5);
            Tensor prompted = Tensors.slice(predicted, 0, 2, 6);
            assertThat(Tensors.floats(composition.joined(prompted, UNGUIDED)))
                    .containsExactly((3 + 0.5f * 7) / 1.5f, 5);
            Tensor inputs = composition.inputs(GUIDED.inputs(Tensors.of(new float[] {1, 2}, 2, 1, 1, 1)), GUIDED);
            assertThat(Tensors.floats(inputs)).containsExactly(1, 2, 1, 2, 1, 2);
        }
    }

    @Test
    void imagesOfABatchAreThoseMadeAlone() {
        Request both =
                request("a robot AND oil:0.5", "the harbour [night:canvas:2]").negativePrompt("low quality");
        Latents together = pipeline.generate(both.seedPerImage(false)).latents();
        Latents noise = Latents.of(together.tensor()); // any numbers will do
        Latents batch = pipeline.generate(both.latents(noise)).latents();
        for (int i = 0; i < 2; i++) {
            Request alone = both.prompts(List.of(both.prompts().get(i))).latents(noise.of(i));
            assertThat(Fixtures.maxDifference(
                            pipeline.generate(alone).latents().tensor(),
                            batch.of(i).tensor()))
                    .isLessThan(1e-3);
        }
    }

    @Test
    void everythingTogetherRunsAndLeavesNothingBehind() {
        Request request = request("a [robot|(harbour:1.3)] AND " + "oil on canvas, ".repeat(30) + ":0.5")
                .negativePrompt("[night:0.5]")
                .guidanceInterval(0.25, 0.75)
                .reuseEvery(2)
                .imagesPerPrompt(2)
                .merging(ToMeOptions.ratio(0.5));
        pipeline.generate(request);
        long before = TensorScope.liveObjects();
        Result result = pipeline.generate(request);
        assertThat(result.images()).hasSize(2);
        assertThat(result.droppedWords()).containsExactly("");
        assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(before + 1);
    }

    @Test
    void whatCannotBeAddedUpOrWeighedIsSaid() {
        assertThatThrownBy(() -> pipeline.generate(request("a AND b:-1").guidanceScale(1)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("weights sum up to 0");
        assertThatThrownBy(() -> pipeline.generate(request("a AND ".repeat(80))))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("81 parts");
        assertThatThrownBy(() -> pipeline.generate(request("(".repeat(10_000) + "a")))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("too large");
        assertThat(pipeline.generate(request("a) [b]] ((c")).images()).hasSize(1);
    }

    @Test
    void theSyntaxIsReadBackFromTheImage() {
        String text = pipeline.generate(request("a (cat:1.2) [b:c:2]").emphasis(Emphasis.NO_NORM))
                .image()
                .parameters();
        GenerationParameters read = GenerationParameters.parse(text);
        assertThat(read.request().promptSyntax()).isEqualTo(PromptSyntax.A1111);
        assertThat(read.request().emphasis()).isEqualTo(Emphasis.NO_NORM);
        assertThat(read.prompt()).isEqualTo("a (cat:1.2) [b:c:2]");
        assertThat(GenerationParameters.parse("a\nSteps: 5, Seed: 1, Emphasis: No norm")
                        .request()
                        .emphasis())
                .isEqualTo(Emphasis.NO_NORM);
    }
}
