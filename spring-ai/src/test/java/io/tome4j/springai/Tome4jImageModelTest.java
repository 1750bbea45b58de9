package io.tome4j.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.TomeException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;

/** What Spring AI's documentation promises of an image model, and what ours adds. */
class Tome4jImageModelTest {
    private static final Tome4jImageOptions SMALL =
            Tome4jImageOptions.builder().steps(2).width(64).height(64).seed(7).build();

    private static StableDiffusionPipeline pipeline;

    @BeforeAll
    static void load() {
        pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd1").toString());
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Tome4jImageModel model() {
        return new Tome4jImageModel(pipeline, SMALL);
    }

    private static byte[] png(ImageGeneration generation) {
        return Base64.getDecoder().decode(generation.getOutput().getB64Json());
    }

    @Test
    void anImageIsTheOneThatThePipelineMakes() {
        ImageResponse response = model().call(new ImagePrompt("a red apple"));
        assertThat(png(response.getResult()))
                .isEqualTo(pipeline.generate(
                                Request.of("a red apple").steps(2).size(64, 64).seed(7))
                        .image()
                        .png());
        assertThat(response.getResult().getOutput().getUrl()).isNull();
    }

    @Test
    void aPromptsOptionsComeBeforeTheModelsAndLeaveBothAsTheyWere() {
        Tome4jImageOptions asked = Tome4jImageOptions.builder()
                .seed(8)
                .merging(ToMeOptions.ratio(0.5))
                .option("reuse-every", "2")
                .build();
        ImageGeneration result =
                model().call(new ImagePrompt("a red apple", asked)).getResult();
        assertThat(png(result))
                .isEqualTo(pipeline.generate(Request.of("a red apple")
                                .steps(2)
                                .size(64, 64)
                                .seed(8)
                                .reuseEvery(2)
                                .merging(ToMeOptions.ratio(0.5)))
                        .image()
                        .png());
        assertThat(asked.getWidth()).isNull();
        assertThat(SMALL.requestOptions()).containsEntry("seed", "7");
    }

    @Test
    void portableOptionsOfAnyKindAreTaken() {
        var portable = ImageOptionsBuilder.builder().n(2).width(72).height(80).build();
        ImageResponse response = model().call(new ImagePrompt("a red apple", portable));
        assertThat(response.getResults()).hasSize(2).allSatisfy(each -> assertThat(
                        ((Tome4jImageGenerationMetadata) each.getMetadata()).parameters())
                .contains("Size: 72x80", "Steps: 2"));
    }

    @Test
    void severalImagesHaveSeedsOfTheirOwnAndEachCanBeMadeAlone() {
        ImageResponse response = model().call(new ImagePrompt(
                "a red apple", Tome4jImageOptions.builder().n(2).build()));
        for (int i = 0; i < 2; i++) {
            ImageGeneration one = response.getResults().get(i);
            assertThat(((Tome4jImageGenerationMetadata) one.getMetadata()).seed())
                    .isEqualTo(7 + i);
            assertThat(png(one))
                    .isEqualTo(png(model().call(new ImagePrompt(
                                    "a red apple",
                                    Tome4jImageOptions.builder().seed(7 + i).build()))
                            .getResult()));
        }
    }

    @Test
    void messagesOfNegativeWeightAreTheNegativePrompt() {
        var messages = List.of(
                new ImageMessage("a red apple"), new ImageMessage("blurry", -1f), new ImageMessage("on a table", 1f));
        ImageResponse response = model().call(new ImagePrompt(messages));
        assertThat(((Tome4jImageGenerationMetadata) response.getResult().getMetadata()).parameters())
                .startsWith("a red apple, on a table\nNegative prompt: blurry\n");
    }

    @Test
    void theMetadataSayWhatItWasMadeWith() {
        ImageResponse response = model().call(new ImagePrompt(
                "a red apple",
                Tome4jImageOptions.builder().merging(ToMeOptions.ratio(0.5)).build()));
        var metadata = (Tome4jImageGenerationMetadata) response.getResult().getMetadata();
        assertThat(metadata.seed()).isEqualTo(7);
        assertThat(metadata.timings().steps()).isNotEmpty();
        assertThat(metadata.merging().blocks()).isNotEmpty();
        assertThat(new String(png(response.getResult()), StandardCharsets.ISO_8859_1))
                .contains(metadata.parameters());
        assertThat((String) response.getMetadata().get(Tome4jImageModel.MERGING))
                .contains("ratio 0.5");
        assertThat(response.getMetadata().getCreated()).isPositive();
    }

    @Test
    void aCallIsObservedWithTheOptionsThatWereInForce() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        Tome4jImageOptions named =
                Tome4jImageOptions.builder().model("tiny-sd1").build().over(SMALL);
        new Tome4jImageModel(() -> pipeline, named, registry).call(new ImagePrompt(List.of(new ImageMessage("x"))));
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("gen_ai.client.operation")
                .that()
                .hasLowCardinalityKeyValue("gen_ai.operation.name", "image")
                .hasLowCardinalityKeyValue("gen_ai.system", "tome4j")
                .hasLowCardinalityKeyValue("gen_ai.request.model", "tiny-sd1")
                .hasHighCardinalityKeyValue("gen_ai.request.image.size", "64x64")
                .hasBeenStopped();
    }

    @Test
    void aFailureIsObservedAndPassedOn() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        var model = new Tome4jImageModel(() -> pipeline, SMALL, registry);
        var prompt = new ImagePrompt(
                "x", Tome4jImageOptions.builder().scheduler("nonesuch").build());
        assertThatThrownBy(() -> model.call(prompt))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("nonesuch");
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("gen_ai.client.operation")
                .that()
                .hasError();
    }

    @Test
    void whatCannotBeIsRefusedBeforeAModelIsLoaded() {
        AtomicInteger loads = new AtomicInteger();
        var model = new Tome4jImageModel(
                () -> {
                    loads.incrementAndGet();
                    return pipeline;
                },
                SMALL,
                ObservationRegistry.NOOP);
        assertThatIllegalArgumentException().isThrownBy(() -> model.call(null)).withMessageContaining("no prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.call(new ImagePrompt(" ")))
                .withMessageContaining("nothing to draw");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.call(new ImagePrompt(List.of(new ImageMessage("x", 0.5f)))))
                .withMessageContaining("weight 0.5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.call(new ImagePrompt(
                        "x", ImageOptionsBuilder.builder().responseFormat("url").build())))
                .withMessageContaining("b64_json");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.call(new ImagePrompt(
                        "x", ImageOptionsBuilder.builder().style("vivid").build())))
                .withMessageContaining("vivid");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.call(new ImagePrompt(
                        "x", ImageOptionsBuilder.builder().width(33).build())))
                .withMessageContaining("multiple of 8");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tome4jImageOptions.builder().option("stepps", "3"))
                .withMessageContaining("num_inference_steps");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> Tome4jImageOptions.builder().merging("ratio", "2").build())
                .withMessageContaining("ratio");
        assertThat(loads).hasValue(0);
    }

    @Test
    void anotherModelThanTheLoadedOneIsRefused() {
        var prompt = new ImagePrompt(
                "x", ImageOptionsBuilder.builder().model("dall-e-3").build());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().call(prompt))
                .withMessageContaining("dall-e-3");
    }

    @Test
    void anInterruptedThreadStopsAndStaysInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> model().call(new ImagePrompt("x"))).isInstanceOf(CancellationException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
    }
}
