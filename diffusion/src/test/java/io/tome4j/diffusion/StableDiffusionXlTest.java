package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StableDiffusionXlTest {
    private static final PipelineOptions FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Request SMALL =
            Request.of("a robot").seed(3).steps(4).size(64, 64).scheduler("euler");
    private static final String REFINER = Fixtures.path("tiny-sdxl-refiner").toString();

    private static StableDiffusionPipeline load(PipelineOptions options) {
        return StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sdxl").toString(), options);
    }

    @Test
    void withoutWordsAboutItMergingHasAnEffectAndTheImageSaysWhich() {
        try (var pipeline = load(FP32)) {
            Result plain = pipeline.generate(SMALL);
            Result merged = pipeline.generate(SMALL.merging(ToMeOptions.ratio(0.5)));
            assertThat(merged.latents().values()).isNotEqualTo(plain.latents().values());
            assertThat(merged.merging().summary()).contains("max_downsample 2");
            assertThat(merged.image().parameters()).contains("Token merging maximum down sampling: 2");
            Result again = pipeline.generate(
                    GenerationParameters.parse(merged.image().parameters()).request());
            assertThat(again.latents().values()).isEqualTo(merged.latents().values());
            assertThatThrownBy(() -> pipeline.generate(
                            SMALL.merging(ToMeOptions.ratio(0.5).maxDownsample(1))))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("use max_downsample 2 or more");
        }
    }

    @Test
    void theFamilysGuidanceIsTakenWhereNobodyChose() {
        try (var pipeline = load(FP32)) {
            Result usual = pipeline.generate(SMALL);
            assertThat(usual.request().guidanceScale()).isEqualTo(5);
            assertThat(usual.image().parameters()).contains("CFG scale: 5,");
            Result chosen = pipeline.generate(SMALL.guidanceScale(7.5));
            assertThat(chosen.request().guidanceScale()).isEqualTo(7.5);
            assertThat(chosen.latents().values()).isNotEqualTo(usual.latents().values());
        }
    }

    @Test
    void anEmptyNegativePromptIsAnotherThanNone() {
        try (var pipeline = load(FP32)) {
            Result none = pipeline.generate(SMALL);
            Result empty = pipeline.generate(SMALL.negativePrompt(""));
            assertThat(empty.latents().values()).isNotEqualTo(none.latents().values());
            for (Result result : List.of(none, empty)) {
                Request read =
                        GenerationParameters.parse(result.image().parameters()).request();
                assertThat(read.isChosen(Request.NEGATIVE_PROMPT)).isEqualTo(result == empty);
            }
        }
    }

    @Test
    void aRefinerGoesOnAndTheImageSaysWhere() {
        List<StepListener.Progress> steps = new ArrayList<>();
        Request request = SMALL.steps(10).refinerStart(0.6).merging(ToMeOptions.ratio(0.5));
        try (var pipeline = load(FP32.refiner(REFINER));
                var alone = load(FP32)) {
            long before = TensorScope.liveObjects();
            Result refined = pipeline.generate(request, progress -> steps.add(progress));
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
            assertThat(steps).extracting(StepListener.Progress::done).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
            assertThat(steps).extracting(StepListener.Progress::total).containsOnly(10);
            assertThat(refined.timings().steps()).hasSize(10);
            assertThat(refined.merging().summary()).contains("refiner: ").contains("blocks merge");
            assertThat(refined.image().parameters())
                    .contains("Refiner: tiny-sdxl-refiner")
                    .contains("Refiner switch at: 0.6");
            Request read =
                    GenerationParameters.parse(refined.image().parameters()).request();
            assertThat(pipeline.generate(read).latents().values())
                    .isEqualTo(refined.latents().values());
            assertThatThrownBy(() -> alone.generate(read))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("refiner_start is 0.6")
                    .hasMessageContaining("no refiner");
            assertThatThrownBy(() -> pipeline.generate(SMALL.steps(1).refinerStart(0.01)))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("take more steps");
            assertThat(pipeline.memoryEstimate(request).weights())
                    .isGreaterThan(alone.memoryEstimate(request).weights());
        }
    }

    @Test
    void eachImageOfSeveralIsTheOneMadeAlone() {
        try (var pipeline = load(FP32.refiner(REFINER))) {
            Request two = SMALL.imagesPerPrompt(2).seedPerImage(true);
            Result both = pipeline.generate(two);
            Result second = pipeline.generate(SMALL.seed(4));
            assertThat(both.latents().of(1).values()).isEqualTo(second.latents().values());
        }
    }

    @Test
    void theWebUisSyntaxWeighsBothEncodersAndPlainTextIsTheSame() {
        try (var pipeline = load(FP32.refiner(REFINER))) {
            Request read = SMALL.with(Request.PROMPT_SYNTAX, PromptSyntax.A1111);
            float[] plain =
                    pipeline.generate(SMALL.negativePrompt("bad")).latents().values();
            float[] same =
                    pipeline.generate(read.negativePrompt("bad")).latents().values();
            for (int i = 0; i < plain.length; i++) {
                assertThat((double) same[i]).isCloseTo(plain[i], org.assertj.core.data.Offset.offset(1e-3));
            }
            Request weighted = read.prompts(List.of("(a robot:1.5) AND [a:red] apple"));
            Result result = pipeline.generate(weighted);
            assertThat(result.latents().values()).isNotEqualTo(plain);
            assertThat(pipeline.generate(weighted.negativePrompt("")).latents().values())
                    .as("an empty negative prompt is none there")
                    .isEqualTo(result.latents().values());
            assertThatThrownBy(() -> pipeline.generate(read.clipSkip(3)))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("clip_skip is 3")
                    .hasMessageContaining("3 layers");
            assertThatThrownBy(() -> pipeline.generate(read.with(Request.PROMPT_2, "other")))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("prompt_2");
        }
    }

    @Test
    void aRefinerAloneDraws() {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(REFINER, FP32)) {
            Result low = pipeline.generate(SMALL.with(MicroConditioning.AESTHETIC_SCORE, 1.0));
            Result usual = pipeline.generate(SMALL);
            assertThat(low.latents().values()).isNotEqualTo(usual.latents().values());
            assertThat(low.image().parameters()).contains("Aesthetic score: 1");
        }
    }

    @Test
    void aRefinerTakesVectorsOfItsOnlyEncoder(@TempDir Path folder) {
        Path alone = folder.resolve("toy.safetensors");
        Path pair = Fixtures.path("sdxl-adapters/toy.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(
                    alone, Map.of("emb_params", SafetensorsFile.open(pair).load("clip_g")));
        }
        Request request = SMALL.prompts(List.of("a toy robot"));
        try (var refiner = StableDiffusionPipeline.fromPretrained(REFINER, FP32);
                var base = load(FP32)) {
            assertThat(refiner.generate(request.embeddings(Embedding.of(alone)))
                            .latents()
                            .values())
                    .isEqualTo(refiner.generate(request.embeddings(Embedding.of(pair)))
                            .latents()
                            .values())
                    .isNotEqualTo(refiner.generate(request).latents().values());
            assertThatThrownBy(() -> base.generate(request.embeddings(Embedding.of(alone))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("toy.safetensors")
                    .hasMessageContaining("take a pair, 'clip_l' and 'clip_g'");
        }
    }

    @Test
    void bf16DrawsNearlyTheSame() {
        try (var exact = load(FP32);
                var rounded = load(FP32.dtype(DTypeChoice.BF16))) {
            float[] a = exact.generate(SMALL).latents().values();
            float[] b = rounded.generate(SMALL).latents().values();
            double error = 0;
            double size = 0;
            for (int i = 0; i < a.length; i++) {
                error += (a[i] - b[i]) * (a[i] - b[i]);
                size += a[i] * a[i];
            }
            assertThat(Math.sqrt(error / size)).isLessThan(0.15);
        }
    }

    @Test
    void partsThatDoNotFitAreSaidBeforeTheyRun(@TempDir Path folder) throws IOException {
        Fixtures.copy("tiny-sdxl", folder, file -> true);
        File config = folder.resolve("unet/config.json").toFile();
        ObjectMapper json = new ObjectMapper();
        ObjectNode unet = (ObjectNode) json.readTree(config);
        unet.putNull("addition_embed_type");
        unet.putNull("projection_class_embeddings_input_dim");
        json.writeValue(config, unet);
        assertThatThrownBy(() -> StableDiffusionPipeline.fromPretrained(folder.toString(), FP32))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("addition_embed_type");
    }

    @Test
    void badSizesAreNamedWithWhatTheyShouldBe() {
        assertThatThrownBy(() -> SMALL.with(MicroConditioning.ORIGINAL_SIZE, "1024"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("original_size is 1024")
                .hasMessageContaining("WIDTHxHEIGHT");
        assertThatThrownBy(() -> SMALL.with(MicroConditioning.CROPS_COORDS_TOP_LEFT, "1x2"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("TOP,LEFT");
        assertThatThrownBy(() -> SMALL.refinerStart(1)).isInstanceOf(OptionException.class);
    }

    @Test
    void aVaeThatLeavesTheRangeOfFp16IsSaidWithWhatToDo() {
        try (var scope = TensorScope.open()) {
            Tensor broken = Tensors.of(new float[] {1, Float.NaN}, 1, 2);
            assertThatThrownBy(() -> Finite.requireDecoded(broken, DType.FP16))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("fp16-fix")
                    .hasMessageContaining("fp32");
        }
    }

    @Test
    void guidanceRescaledAllTheWayHasTheDeviationOfThePrompted() {
        try (var scope = TensorScope.open()) {
            Tensor predicted = Tensors.randn(Tensors.generator(1), 4, 4, 6, 5);
            Tensor prompted = Tensors.slice(predicted, 0, 2, 4);
            Tensor whole = new Guidance(9, 0, 1, 1).combine(predicted);
            Tensor plain = new Guidance(9).combine(predicted);
            for (long image = 0; image < 2; image++) {
                double wanted = prompted.select(0, image).std().item_double();
                assertThat(whole.select(0, image).std().item_double())
                        .isCloseTo(wanted, org.assertj.core.data.Offset.offset(1e-4));
                assertThat(plain.select(0, image).std().item_double()).isGreaterThan(2 * wanted);
            }
        }
    }

    @Test
    void timeIdsFollowTheSizeUnlessTheyAreGiven() {
        try (var scope = TensorScope.open()) {
            Request request = SMALL.size(64, 96).with(MicroConditioning.CROPS_COORDS_TOP_LEFT, "3,70");
            assertThat(Tensors.floats(new TimeIds(false).of(request, false, false)))
                    .containsExactly(96, 64, 3, 70, 96, 64);
            assertThat(Tensors.floats(new TimeIds(true).of(request, true, false)))
                    .containsExactly(96, 64, 0, 0, 2.5f, 96, 64, 3, 70, 6);
            Request other = request.with(MicroConditioning.NEGATIVE_ORIGINAL_SIZE, "16x8")
                    .with(MicroConditioning.NEGATIVE_TARGET_SIZE, "24x32")
                    .with(MicroConditioning.NEGATIVE_CROPS_COORDS_TOP_LEFT, "1,2");
            assertThat(Tensors.floats(new TimeIds(false).of(other, true, false)))
                    .containsExactly(8, 16, 1, 2, 32, 24, 96, 64, 3, 70, 96, 64);
            assertThat(Tensors.floats(new TimeIds(false).of(other, true, true)))
                    .as("from latents the negative crop is the positive one, as in the reference")
                    .containsExactly(8, 16, 3, 70, 32, 24, 96, 64, 3, 70, 96, 64);
        }
    }
}
