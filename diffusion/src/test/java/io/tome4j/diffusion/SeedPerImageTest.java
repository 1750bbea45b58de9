package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SeedPerImageTest {
    private static final Request SMALL =
            Request.of("a red apple").seed(7).steps(2).size(64, 64).scheduler("euler_a");
    private static final Request THREE = SMALL.prompts(List.of("a cat", "a dog", "a boat"))
            .imagesPerPrompt(2)
            .seedPerImage(true);

    private static StableDiffusionPipeline tiny() {
        return StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    static Stream<ToMeOptions> settings() {
        return Stream.of(
                ToMeOptions.NONE,
                ToMeOptions.ratio(0.5),
                ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD)); // draws from a generator of its own
    }

    @ParameterizedTest
    @MethodSource("settings")
    void eachImageIsTheOneMadeAlone(ToMeOptions merging) {
        try (var pipeline = tiny()) {
            Result all = pipeline.generate(THREE.merging(merging));
            assertThat(all.images()).hasSize(6);
            assertThat(all.latents().shape()).containsExactly(6, 4, 8, 8);
            float[] latents = all.latents().values();
            int length = latents.length / 6;
            for (int i = 0; i < 6; i++) {
                Request alone = SMALL.prompts(List.of(THREE.prompts().get(i / 2)))
                        .seed(7 + i)
                        .merging(merging);
                Result result = pipeline.generate(alone);
                assertThat(Arrays.copyOfRange(latents, i * length, (i + 1) * length))
                        .isEqualTo(result.latents().values());
                assertThat(all.images().get(i).parameters())
                        .isEqualTo(result.image().parameters());
            }
            assertThat(all.request().prompts()).isEqualTo(THREE.prompts());
            assertThat(all.request().seed()).isEqualTo(7);
            assertThat(all.request().images()).isEqualTo(6);
            assertThat(all.request().seedPerImage()).isTrue();
            assertThat(all.timings().steps()).hasSize(12);
            assertThat(all.droppedWords()).hasSize(3);
        }
    }

    @Test
    void theParametersOfAnImageMakeItAgain() {
        try (var pipeline = tiny()) {
            Image last = pipeline.generate(THREE).images().get(5);
            GenerationParameters read = GenerationParameters.parse(last.parameters());
            assertThat(read.request().seed()).isEqualTo(12);
            assertThat(read.request().images()).isEqualTo(1);
            assertThat(pipeline.generate(read.request()).image().parameters()).isEqualTo(last.parameters());
        }
    }

    @Test
    void givenLatentsAreThoseOfEachImage() {
        try (var pipeline = tiny()) {
            float[] values = new float[2 * 4 * 8 * 8];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(i);
            }
            Latents two = latents(values, 2);
            Request request = SMALL.imagesPerPrompt(2).seedPerImage(true);
            float[] made = pipeline.generate(request.latents(two)).latents().values();
            float[] second = Arrays.copyOfRange(values, values.length / 2, values.length);
            assertThat(Arrays.copyOfRange(made, values.length / 2, values.length))
                    .isEqualTo(pipeline.generate(SMALL.seed(8).latents(latents(second, 1)))
                            .latents()
                            .values());
            assertThatThrownBy(
                            () -> pipeline.generate(request.imagesPerPrompt(3).latents(two)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("2 images where this request is for 3");
        }
    }

    private static Latents latents(float[] values, int images) {
        try (var scope = TensorScope.open()) {
            return Latents.of(Tensors.of(values, images, 4, 8, 8));
        }
    }

    @Test
    void stepsAreCountedOverAllImagesAndThePatchIsThatOfTheStart() {
        try (var pipeline = tiny()) {
            ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5));
            List<String> seen = new ArrayList<>();
            Result result = pipeline.generate(SMALL.imagesPerPrompt(2).seedPerImage(true), progress -> {
                ToMe.removePatch(pipeline);
                return seen.add(progress.done() + "/" + progress.total());
            });
            assertThat(seen).containsExactly("1/4", "2/4", "3/4", "4/4");
            assertThat(result.images())
                    .allSatisfy(image -> assertThat(image.parameters()).contains("ratio: 0.5"));
        }
    }

    @Test
    void memoryIsThatOfOneImage() {
        try (var pipeline = tiny()) {
            Request many = SMALL.imagesPerPrompt(8);
            assertThat(pipeline.memoryEstimate(many.seedPerImage(true)).total())
                    .isEqualTo(pipeline.memoryEstimate(SMALL).total());
            assertThat(pipeline.memoryEstimate(many).total())
                    .isGreaterThan(pipeline.memoryEstimate(SMALL).total());
        }
    }
}
