package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StableDiffusionPipelineTest {
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Request SMALL =
            Request.of("a red apple").seed(7).steps(2).size(64, 64).scheduler("euler_a");

    private static StableDiffusionPipeline tiny() {
        return StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd1").toString(), CPU_FP32);
    }

    private static int[] pixels(Result result) {
        Image image = result.image();
        return image.toBufferedImage().getRGB(0, 0, image.width(), image.height(), null, 0, image.width());
    }

    @Test
    void theSameRequestGivesTheSameImageWhateverRanBefore() {
        try (var pipeline = tiny()) {
            ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5));
            int[] first = pixels(pipeline.generate(SMALL));
            pipeline.generate(SMALL.seed(8));
            assertThat(pixels(pipeline.generate(SMALL))).isEqualTo(first);
            assertThat(pixels(pipeline.generate(SMALL.seed(8)))).isNotEqualTo(first);
        }
    }

    @Test
    void aRequestThatCannotFitIsRefusedBeforeItRuns() {
        try (var pipeline = tiny()) {
            Request huge = SMALL.size(80_000, 80_000);
            assertThat(pipeline.memoryEstimate(huge).total()).isGreaterThan(30L << 30);
            assertThatThrownBy(() -> pipeline.generate(huge))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("What would fit: a size of ");
        }
    }

    @Test
    void sharedMatchingsGiveTheSameImageAgainAndLeaveNothingBehind() {
        try (var pipeline = tiny()) {
            Set<List<Integer>> images = new HashSet<>();
            ToMeOptions half = ToMeOptions.ratio(0.5).maxDownsample(2);
            for (ToMeOptions options : List.of(
                    half,
                    half.matchPer(ToMeOptions.MatchPer.BLOCK),
                    half.matchEvery(2),
                    half.matchTogether(true),
                    half.matchPer(ToMeOptions.MatchPer.BLOCK).matchEvery(2).matchTogether(true),
                    half.sizeWeighted(true),
                    half.method(ToMeOptions.Method.QUERY),
                    half.method(ToMeOptions.Method.TODO))) {
                ToMe.applyPatch(pipeline, options);
                int[] first = pixels(pipeline.generate(SMALL.steps(3)));
                long before = TensorScope.liveObjects();
                pipeline.generate(SMALL.steps(1).prompts(List.of("two", "images")));
                assertThat(pixels(pipeline.generate(SMALL.steps(3)))).isEqualTo(first);
                assertThat(TensorScope.liveObjects()).isEqualTo(before);
                assertThat(images.add(Arrays.stream(first).boxed().toList()))
                        .as("each option has an effect of its own: " + options)
                        .isTrue();
            }
        }
    }

    @Test
    void mergingChangesTheImageAndRemovingThePatchRestoresIt() {
        try (var pipeline = tiny()) {
            int[] plain = pixels(pipeline.generate(SMALL));
            ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5));
            assertThat(pixels(pipeline.generate(SMALL))).isNotEqualTo(plain);
            ToMe.removePatch(pipeline);
            assertThat(pixels(pipeline.generate(SMALL))).isEqualTo(plain);
        }
    }

    @Test
    void latentsThatComeOutCanGoInAgain() {
        try (var pipeline = tiny();
                var scope = TensorScope.open()) {
            Latents drawn = Latents.of(Tensors.randn(Tensors.generator(7), 1, 4, 8, 8));
            Request deterministic = SMALL.scheduler("ddim");
            Result expected = pipeline.generate(deterministic);
            Result given = pipeline.generate(deterministic.seed(1234).latents(drawn));
            assertThat(given.latents().values()).isEqualTo(expected.latents().values());
            assertThat(expected.latents().shape()).containsExactly(1, 4, 8, 8);
        }
    }

    @Test
    void latentsOfAnotherShapeAreRefused() {
        try (var pipeline = tiny();
                var scope = TensorScope.open()) {
            Latents wrong = Latents.of(Tensors.randn(Tensors.generator(7), 1, 4, 8, 9));
            assertThatThrownBy(() -> pipeline.generate(SMALL.latents(wrong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[1, 4, 8, 9]")
                    .hasMessageContaining("[1, 4, 8, 8]");
        }
    }

    @Test
    void withoutASizeTheModelsOwnIsTaken() {
        try (var pipeline = tiny()) {
            Result result = pipeline.generate(
                    Request.of("x").steps(1).scheduler("euler").seed(1));
            assertThat(result.image().width()).isEqualTo(pipeline.nominalGrid().width() * 8);
            assertThat(result.request().width()).isEqualTo(result.image().width());
        }
    }

    @Test
    void thePromptChangesTheImageAndTheNegativePromptDoesUnderGuidance() {
        try (var pipeline = tiny()) {
            int[] plain = pixels(pipeline.generate(SMALL));
            assertThat(pixels(pipeline.generate(SMALL.prompts(List.of("a blue boat")))))
                    .isNotEqualTo(plain);
            assertThat(pixels(pipeline.generate(SMALL.negativePrompt("a boat"))))
                    .isNotEqualTo(plain);
            Request unguided = SMALL.guidanceScale(1);
            assertThat(pixels(pipeline.generate(unguided.negativePrompt("a boat"))))
                    .isEqualTo(pixels(pipeline.generate(unguided)));
        }
    }

    @Test
    void aLongPromptSaysWhatWasDropped() {
        try (var pipeline = tiny()) {
            String words = "apple ".repeat(100) + "zebra";
            Result result = pipeline.generate(SMALL.prompts(List.of("a cat", words)));
            assertThat(result.droppedWords().get(0)).isEmpty();
            assertThat(result.droppedWords().get(1)).contains("zebra");
        }
    }

    @Test
    void theListenerSeesEachStepAndCanStopTheRun() {
        try (var pipeline = tiny()) {
            List<Integer> seen = new ArrayList<>();
            pipeline.generate(SMALL.steps(4), progress -> {
                assertThat(Tensors.shape(progress.latents())).containsExactly(1, 4, 8, 8);
                assertThat(progress.total()).isEqualTo(4);
                return seen.add(progress.done());
            });
            assertThat(seen).containsExactly(1, 2, 3, 4);
            assertThatThrownBy(() -> pipeline.generate(SMALL.steps(4), progress -> progress.done() < 2))
                    .isInstanceOf(CancellationException.class)
                    .hasMessageContaining("step 2 of 4");
            assertThat(pipeline.generate(SMALL).images()).hasSize(1);
        }
    }

    @Test
    void allImagesOfABatchComeInTheOrderOfTheirPrompts() {
        try (var pipeline = tiny()) {
            Request batch = SMALL.prompts(List.of("a cat", "a dog")).imagesPerPrompt(2);
            Result result = pipeline.generate(batch);
            assertThat(result.latents().shape()).containsExactly(4, 4, 8, 8);
            assertThat(result.images())
                    .extracting(image ->
                            GenerationParameters.parse(image.parameters()).prompt())
                    .containsExactly("a cat", "a cat", "a dog", "a dog");
            Result swapped = pipeline.generate(batch.prompts(List.of("a cat", "a cat")));
            assertThat(rgb(swapped.images().get(1)))
                    .isEqualTo(rgb(result.images().get(1)));
            assertThat(rgb(swapped.images().get(2)))
                    .isNotEqualTo(rgb(result.images().get(2)));
        }
    }

    private static int[] rgb(Image image) {
        return image.toBufferedImage().getRGB(0, 0, image.width(), image.height(), null, 0, image.width());
    }

    @Test
    void aRequestThatSaysHowToMergeIsNotTouchedByThePatch() {
        try (var pipeline = tiny()) {
            int[] plain = pixels(pipeline.generate(SMALL));
            int[] half = pixels(pipeline.generate(SMALL.merging(ToMeOptions.ratio(0.5))));
            assertThat(half).isNotEqualTo(plain);
            ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.25));
            assertThat(pixels(pipeline.generate(SMALL.merging(ToMeOptions.ratio(0.5)))))
                    .isEqualTo(half);
            assertThat(pixels(pipeline.generate(SMALL.merging(ToMeOptions.NONE))))
                    .isEqualTo(plain);
            Result patched = pipeline.generate(SMALL);
            assertThat(pixels(patched)).isNotEqualTo(half).isNotEqualTo(plain);
            assertThat(patched.request().merging()).contains(ToMeOptions.ratio(0.25));
            assertThat(patched.merging().tokensAfter())
                    .isLessThan(patched.merging().tokensBefore());
        }
    }

    @Test
    void aLargeImageIsDecodedAsAWholeUnlessTilesAreAskedFor() {
        Request large = SMALL.steps(1).size(1088, 968).guidanceScale(1);
        int[] whole;
        try (var pipeline = tiny()) {
            Result result = pipeline.generate(large);
            assertThat(result.tiled()).isFalse();
            whole = pixels(result);
        }
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(), CPU_FP32.vaeTiling(VaeTiling.ON))) {
            Result result = pipeline.generate(large);
            assertThat(result.tiled()).isTrue();
            assertThat(pixels(result)).isNotEqualTo(whole);
            assertThat(pipeline.generate(SMALL).tiled())
                    .as("no larger than a tile")
                    .isFalse();
        }
    }

    @Test
    void anApplicationsDefaultDtypeChangesNothing() {
        Engine.start();
        ToMeOptions half = ToMeOptions.ratio(0.5).maxDownsample(2).sizeWeighted(true);
        try (var pipeline = tiny()) {
            int[] usual = pixels(pipeline.generate(SMALL.merging(half)));
            setDefaultDtype(ScalarType.Double);
            try (var loadedSo = tiny()) {
                assertThat(pixels(pipeline.generate(SMALL.merging(half)))).isEqualTo(usual);
                assertThat(pixels(loadedSo.generate(SMALL.merging(half)))).isEqualTo(usual);
            } finally {
                setDefaultDtype(ScalarType.Float);
            }
        }
    }

    private static void setDefaultDtype(ScalarType type) {
        try (var scope = TensorScope.open()) {
            torch.set_default_dtype(torch.scalarTypeToTypeMeta(type));
        }
    }

    @Test
    void whatIsNotANumberIsAnErrorAndNoBlackImage() {
        try (var pipeline = tiny()) {
            assertThatThrownBy(() -> pipeline.generate(SMALL.guidanceScale(1e38)))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("After step ")
                    .hasMessageContaining("guidance scale");
            assertThat(pipeline.generate(SMALL).images()).hasSize(1);
        }
    }

    @Test
    void aRequestThatWouldMergeNothingSaysWhichOptionWould() {
        try (var pipeline = tiny()) {
            assertThatThrownBy(() -> pipeline.generate(
                            SMALL.merging(ToMeOptions.ratio(0.5).mergeAttn(false))))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("turn one on");
        }
    }

    @Test
    void tomesdsModeGivesTheSameImageForTheSameSeedAndLeavesTorchsGeneratorAlone() {
        try (var pipeline = tiny();
                var scope = TensorScope.open()) {
            Request tomesd = SMALL.merging(ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD));
            torch.manual_seed(5);
            float[] next = Tensors.floats(torch.randn(new long[] {4}));
            torch.manual_seed(5);
            int[] first = pixels(pipeline.generate(tomesd));
            assertThat(pixels(pipeline.generate(tomesd))).isEqualTo(first);
            assertThat(Tensors.floats(torch.randn(new long[] {4}))).isEqualTo(next);
        }
    }

    /** Two threads with different merging and a third that patches and unpatches: 200 images, each as if made alone. */
    @Test
    void imagesMadeAtTheSameTimeAreThoseMadeAloneAndTheirParametersAreTrue() throws Exception {
        List<ToMeOptions> ways = List.of(
                ToMeOptions.NONE,
                ToMeOptions.ratio(0.5),
                ToMeOptions.ratio(0.75).maxDownsample(2),
                ToMeOptions.ratio(0.5).method(ToMeOptions.Method.TODO),
                ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD));
        try (var pipeline = tiny()) {
            Map<ToMeOptions, int[]> alone = new HashMap<>();
            for (ToMeOptions way : ways) {
                alone.put(way, pixels(pipeline.generate(SMALL.merging(way))));
            }
            ToMeOptions patched = ways.get(2);
            var stopPatching = new AtomicBoolean();
            ExecutorService threads = Executors.newFixedThreadPool(3);
            try {
                Future<Integer> patching = threads.submit(() -> {
                    int changes = 0;
                    while (!stopPatching.get()) {
                        ToMe.applyPatch(pipeline, patched);
                        ToMe.removePatch(pipeline);
                        changes++;
                        Thread.sleep(1);
                    }
                    return changes;
                });
                List<Future<Integer>> drawing = new ArrayList<>();
                for (int thread = 0; thread < 2; thread++) {
                    int offset = thread;
                    drawing.add(threads.submit(() -> {
                        int checked = 0;
                        for (int i = 0; i < 100; i++) {
                            // every fifth leaves it to the patch, whatever that is just then
                            boolean told = i % 5 != 4;
                            Request request = told ? SMALL.merging(ways.get((i + offset) % ways.size())) : SMALL;
                            Result result = pipeline.generate(request);
                            ToMeOptions done = GenerationParameters.parse(
                                            result.image().parameters())
                                    .merging();
                            assertThat(told ? request.merging().orElseThrow() : done)
                                    .isEqualTo(done)
                                    .isIn(told ? ways : List.of(ToMeOptions.NONE, patched));
                            assertThat(pixels(result)).isEqualTo(alone.get(done));
                            checked++;
                        }
                        return checked;
                    }));
                }
                for (Future<Integer> thread : drawing) {
                    assertThat(thread.get()).isEqualTo(100);
                }
                stopPatching.set(true);
                assertThat(patching.get()).isGreaterThan(100);
            } finally {
                stopPatching.set(true);
                threads.shutdownNow();
            }
        }
    }

    @Test
    void bf16GivesNearlyTheSameImage() {
        try (var exact = tiny();
                var rounded = StableDiffusionPipeline.fromPretrained(
                        Fixtures.path("tiny-sd1").toString(), CPU_FP32.dtype(DTypeChoice.BF16))) {
            int[] a = pixels(exact.generate(SMALL));
            int[] b = pixels(rounded.generate(SMALL));
            double total = 0;
            for (int i = 0; i < a.length; i++) {
                total += Math.abs((a[i] & 255) - (b[i] & 255));
            }
            assertThat(total / a.length).isBetween(0.01, 8.0);
        }
    }

    @Test
    void anUnknownSchedulerIsNamedWithTheKnownOnes() {
        try (var pipeline = tiny()) {
            assertThatThrownBy(() -> pipeline.generate(SMALL.scheduler("magic")))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("magic")
                    .hasMessageContaining("euler_a");
        }
    }

    @Test
    void badSizesAndStepsAreNamed() {
        assertThatThrownBy(() -> SMALL.size(100, 64))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("width is 100: it must be a multiple of 8, such as 96 or 104");
        assertThatThrownBy(() -> SMALL.size(64, 2147483640))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("height is 2147483640: it must be at most 262144");
        assertThatThrownBy(() -> SMALL.imagesPerPrompt(Integer.MAX_VALUE))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("num_images_per_prompt is 2147483647");
        String endless = "x".repeat(1 << 20);
        assertThatThrownBy(() -> SMALL.prompts(List.of(endless)))
                .isInstanceOf(OptionException.class)
                .hasMessage("prompt has 1048576 characters: it may have at most 524288");
        assertThatThrownBy(() -> SMALL.negativePrompt(endless))
                .isInstanceOf(OptionException.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(200));
        assertThatThrownBy(() -> SMALL.imagesPerPrompt(9_999).prompts(List.of("a", "b")))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("more than 10000 images");
        assertThatThrownBy(() -> SMALL.steps(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("num_inference_steps is 0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"unet", "vae", "text_encoder", "tokenizer", "scheduler"})
    void aMissingComponentFolderIsNamedAndNothingIsLeftInMemory(String component, @TempDir Path folder) {
        Engine.start();
        Fixtures.copy("tiny-sd1", folder, file -> !file.startsWith(component));
        long before = TensorScope.liveObjects();
        assertThatThrownBy(() -> StableDiffusionPipeline.fromPretrained(folder.toString(), CPU_FP32))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(component);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void aClosedPipelineSaysSo() {
        var pipeline = tiny();
        pipeline.close();
        pipeline.close();
        assertThatThrownBy(() -> pipeline.generate(SMALL))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void aListenerMayCloseThePipelineWhichThenFinishesTheRun() {
        Engine.start();
        int[] expected;
        try (var pipeline = tiny()) {
            expected = pixels(pipeline.generate(SMALL));
        }
        long before = TensorScope.liveObjects();
        var pipeline = tiny();
        Result result = pipeline.generate(SMALL, progress -> {
            pipeline.close();
            return true;
        });
        assertThat(pixels(result)).isEqualTo(expected);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
        assertThatThrownBy(() -> pipeline.generate(SMALL)).hasMessageContaining("closed");
    }

    /** Two hundred images in one process: what the first ten needed is all that is ever needed. */
    @Test
    void memoryStaysFlatOverTwoHundredGenerations() throws IOException {
        Engine.start();
        long before = TensorScope.liveObjects();
        try (var pipeline = tiny()) {
            ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5).maxDownsample(2));
            long loaded = TensorScope.liveObjects();
            long settled = 0;
            for (int i = 0; i < 200; i++) {
                pipeline.generate(SMALL.seed(i).steps(1 + i % 3));
                if (i == 9) {
                    settled = residentBytes();
                }
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
            // The Java heap may still grow within its limit; native leaks of a run would be far more.
            assertThat(residentBytes() - settled).isLessThan(100L << 20);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    private static long residentBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0; // only Linux tells so simply; the count of live objects is checked everywhere
        }
        System.gc();
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElseThrow();
    }
}
