package io.tome4j.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.langchain4j.Tome4jImageModel.Tome4jImageModelBuilder;
import io.tome4j.merging.ToMeOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What LangChain4j's documentation promises of an image model, and what ours adds. */
class Tome4jImageModelTest {
    private static final String MODEL = Fixtures.path("tiny-sd1").toString();
    private static StableDiffusionPipeline pipeline;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(MODEL);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Tome4jImageModelBuilder builder() {
        return Tome4jImageModel.builder()
                .pipeline(pipeline)
                .steps(2)
                .size(64, 64)
                .seed(7);
    }

    private static byte[] png(Image image) {
        return Base64.getDecoder().decode(image.base64Data());
    }

    @Test
    void anImageIsTheOneThatThePipelineMakes() {
        ImageModel model = builder()
                .merging(ToMeOptions.ratio(0.5))
                .guidanceScale(3)
                .negativePrompt("blurry")
                .build();
        Response<Image> response = model.generate("a red apple");
        Request same = Request.of("a red apple")
                .seed(7)
                .steps(2)
                .size(64, 64)
                .guidanceScale(3)
                .negativePrompt("blurry");
        assertThat(png(response.content()))
                .isEqualTo(pipeline.generate(same.merging(ToMeOptions.ratio(0.5)))
                        .image()
                        .png());
        assertThat(response.content().mimeType()).isEqualTo("image/png");
        assertThat(response.content().url()).isNull();
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.tokenUsage()).isNull();
    }

    @Test
    void theMetadataSayWhatItWasMadeWith() {
        Response<Image> response =
                builder().merging(ToMeOptions.ratio(0.5)).build().generate("a red apple");
        assertThat(response.metadata())
                .containsEntry(Tome4jImageModel.SEED, 7L)
                .hasEntrySatisfying(
                        Tome4jImageModel.MERGING,
                        merging -> assertThat(merging).asString().contains("blocks merge", "ratio 0.5"))
                .hasEntrySatisfying(Tome4jImageModel.DURATION, duration -> assertThat((Duration) duration)
                        .isPositive());
        assertThat(new String(png(response.content()), StandardCharsets.ISO_8859_1))
                .contains("parameters\0" + response.metadata().get(Tome4jImageModel.PARAMETERS));
        assertThat(response.metadata().get(Tome4jImageModel.PARAMETERS))
                .asString()
                .startsWith("a red apple\n")
                .contains("Seed: 7", "Token merging ratio: 0.5");
    }

    @Test
    void severalImagesHaveSeedsOfTheirOwnAndEachCanBeMadeAlone() {
        Response<List<Image>> response = builder().build().generate("a red apple", 3);
        assertThat(response.metadata()).containsEntry(Tome4jImageModel.SEEDS, List.of(7L, 8L, 9L));
        List<byte[]> alone = IntStream.range(7, 10)
                .mapToObj(seed ->
                        png(builder().seed(seed).build().generate("a red apple").content()))
                .toList();
        assertThat(response.content().stream().map(Tome4jImageModelTest::png).toList())
                .usingElementComparator(java.util.Arrays::compare)
                .isEqualTo(alone);
        assertThat(response.content()).doesNotHaveDuplicates();
    }

    @Test
    void withoutASeedEachCallHasOneOfItsOwn() {
        ImageModel model = Tome4jImageModel.builder()
                .pipeline(pipeline)
                .steps(1)
                .size(64, 64)
                .build();
        assertThat(model.generate("a red apple").metadata().get(Tome4jImageModel.SEED))
                .isNotEqualTo(model.generate("a red apple").metadata().get(Tome4jImageModel.SEED));
    }

    @Test
    void noPromptAndNoImagesAreRefused() {
        ImageModel model = builder().build();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.generate(null))
                .withMessageContaining("prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.generate("  "))
                .withMessageContaining("prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.generate("x", 0))
                .withMessageContaining("n ");
        assertThatThrownBy(() -> model.generate("x", 10_001))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("10000");
        assertThatThrownBy(() -> model.generate("x".repeat(Request.LONGEST_PROMPT + 1)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("prompt");
    }

    @Test
    void whatCannotBeCarriedOutIsAnInvalidRequest() {
        assertThatThrownBy(() -> builder().scheduler("nonesuch").build().generate("x"))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("nonesuch");
    }

    @Test
    void optionsOutOfRangeAreRefusedBeforeAModelIsLoaded() {
        var builder = Tome4jImageModel.builder().modelName("/there/is/none").steps(0);
        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessageContaining("num_inference_steps");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tome4jImageModel.builder().build());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().modelName(MODEL).build());
    }

    @Test
    void aModelThatIsNotThereIsNotFound(@TempDir Path empty) {
        assertThatThrownBy(() ->
                        Tome4jImageModel.builder().modelName(empty.toString()).build())
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining(empty.toString());
    }

    @Test
    void aCallThatTakesTooLongIsStoppedAndThePipelineStaysUsable() {
        assertThatThrownBy(() -> builder().timeout(Duration.ofNanos(1)).build().generate("x"))
                .isInstanceOf(TimeoutException.class);
        assertThat(builder()
                        .timeout(Duration.ofMinutes(5))
                        .build()
                        .generate("x")
                        .content())
                .isNotNull();
    }

    @Test
    void anInterruptedThreadStopsAndStaysInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> builder().build().generate("x")).isInstanceOf(CancellationException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void concurrentCallsGiveWhatEachGivesAlone() {
        ImageModel model = builder().build();
        String alone = model.generate("a red apple").content().base64Data();
        List<CompletableFuture<String>> calls = IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> model.generate("a red apple").content().base64Data()))
                .toList();
        assertThat(calls).allSatisfy(call -> assertThat(call.join()).isEqualTo(alone));
    }

    @Test
    void aSharedPipelineStaysOpenAndAnOwnOneIsClosed() {
        builder().build().close();
        assertThat(builder().build().generate("x").content()).isNotNull();
        Tome4jImageModel own = Tome4jImageModel.builder()
                .modelName(MODEL)
                .steps(1)
                .size(64, 64)
                .build();
        assertThat(own.generate("x").content()).isNotNull();
        own.close();
        assertThatThrownBy(() -> own.generate("x")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aModelMayBeClosedTwiceAndItsTimeoutIsPositive() {
        Tome4jImageModel own = Tome4jImageModel.builder().modelName(MODEL).build();
        own.close();
        own.close();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().timeout(Duration.ZERO))
                .withMessageContaining("timeout");
        assertThat(builder()
                        .timeout(Duration.ofSeconds(Long.MAX_VALUE))
                        .build()
                        .generate("x")
                        .content())
                .isNotNull();
    }

    @Test
    void aPipelineThatCannotBeLoadedByTheFirstCallIsAModelThatIsNotFound() {
        ImageModel model = Tome4jImageModel.builder()
                .pipeline(() -> StableDiffusionPipeline.fromPretrained("/there/is/none"))
                .build();
        assertThatThrownBy(() -> model.generate("x"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("/there/is/none");
    }

    @Test
    void aFrameworkMayHandOutBuildersOfItsOwn() {
        assertThat(Tome4jImageModel.builder()).isInstanceOf(FrameworksBuilderFactory.FrameworksBuilder.class);
    }
}
