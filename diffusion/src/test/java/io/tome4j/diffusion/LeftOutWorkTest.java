package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.diffusion.ReuseSchedule.Spacing;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergePlan;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Deep features reused between steps, and guidance in a part of them. */
class LeftOutWorkTest {
    private static final Request SMALL =
            Request.of("a red apple").seed(7).steps(5).size(64, 64).scheduler("ddim");

    /** Transformer blocks of tiny-sd1: 2 and 3 at each of three levels, and one between. */
    private static final int BLOCKS = 16;

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

    /** Which blocks ran in each step, on how many rows, and how they merged. */
    private static final class Recorder implements StepListener {
        private record Ran(String block, long rows, BlockMerge merge) {}

        private final List<List<Ran>> steps = new ArrayList<>();

        static Recorder of(Request request) {
            Recorder recorder = new Recorder();
            pipeline.generate(request, recorder);
            return recorder;
        }

        @Override
        public boolean onStep(Progress progress) {
            return true;
        }

        @Override
        public void onMerge(
                MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
            while (steps.size() <= context.step()) {
                steps.add(new ArrayList<>());
            }
            steps.get(context.step()).add(new Ran(block.name(), hidden.size(0), merge));
        }

        List<Integer> blocks() {
            return steps.stream().map(List::size).toList();
        }

        List<Long> rows() {
            return steps.stream().map(ran -> ran.get(0).rows()).toList();
        }
    }

    private static float[] latents(Request request) {
        return pipeline.generate(request).latents().values();
    }

    @Test
    void withoutReuseAndWithGuidanceThroughoutTheImageIsThatOfAPlainRequestBitForBit() {
        for (ToMeOptions merging : List.of(ToMeOptions.NONE, ToMeOptions.ratio(0.5))) {
            Request plain = SMALL.merging(merging);
            float[] expected = latents(plain);
            assertThat(latents(plain.reuseEvery(1).reuseBranch(3))).isEqualTo(expected);
            assertThat(latents(plain.guidanceInterval(0, 1))).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 3", "2, 5", "3, 6", "5, 10", "8, 15", "11, 15"})
    void aReusingStepRunsTheBlocksOutsideItsBranchAlone(int branch, int blocks) {
        // a level has 2 transformer blocks on the way down and 3 on the way up; the fourth has none, the middle one
        Recorder ran = Recorder.of(SMALL.reuseEvery(3).reuseBranch(branch));
        assertThat(ran.blocks()).containsExactly(BLOCKS, blocks, blocks, BLOCKS, blocks);
    }

    @Test
    void theShallowestBranchLeavesTheVeryLastBlock() {
        Recorder ran = Recorder.of(SMALL.reuseEvery(2).steps(2));
        assertThat(ran.steps.get(1))
                .extracting(Recorder.Ran::block)
                .containsExactly("up_blocks.3.attentions.2." + "transformer_blocks.0");
    }

    @Test
    void nonUniformlyTheStepsAroundTheCenterComputeAll() {
        Recorder ran = Recorder.of(
                SMALL.steps(11).reuseEvery(3).reuseSchedule(Spacing.NONUNIFORM).reuseCenter(5 / 11.0));
        List<Integer> full = new ArrayList<>();
        for (int i = 0; i < 11; i++) {
            if (ran.blocks().get(i) == BLOCKS) {
                full.add(i);
            }
        }
        assertThat(full).containsExactly(0, 3, 5, 7);
    }

    @Test
    void aStepIsCountedByTheFirstPlaceOfItsTimestep() {
        Recorder pndm = Recorder.of(SMALL.scheduler("pndm").reuseEvery(2)); // calls at places 0, 1, 1, 3, 4, 5
        assertThat(pndm.blocks()).containsExactly(BLOCKS, 1, 1, 1, BLOCKS, 1);
        Recorder heun = Recorder.of(SMALL.scheduler("heun").reuseEvery(3)); // 0, 1, 1, 3, 3, 5, 5, 7, 7
        assertThat(heun.blocks()).containsExactly(BLOCKS, 1, 1, BLOCKS, BLOCKS, 1, 1, 1, 1);
    }

    @Test
    void theFirstBlockThatRunsMatchesForThoseOfItsLevel() {
        ToMeOptions merging = ToMeOptions.ratio(0.5).maxDownsample(2).matchPer(ToMeOptions.MatchPer.LEVEL);
        Recorder ran =
                Recorder.of(SMALL.merging(merging).reuseEvery(2).reuseBranch(4).steps(2));
        for (List<Recorder.Ran> step : ran.steps) {
            assertThat(step.stream()
                            .map(block -> block.merge().attention().queries())
                            .filter(MergePlan.class::isInstance)
                            .distinct())
                    .as("one matching a level")
                    .hasSize(2);
        }
        assertThat(ran.steps.get(1)).hasSizeGreaterThan(2).allSatisfy(block -> assertThat(
                        block.merge().attention().queries())
                .isInstanceOf(MergePlan.class));
    }

    static Stream<String> schedulers() {
        return Schedulers.names().stream();
    }

    @ParameterizedTest
    @MethodSource("schedulers")
    void everySchedulerGoesOnWithWhatIsLeft(String scheduler) {
        Request plain = SMALL.scheduler(scheduler).merging(ToMeOptions.ratio(0.5));
        Recorder ran = Recorder.of(plain.reuseEvery(2).guidanceInterval(0, 0.5));
        assertThat(ran.blocks()).startsWith(BLOCKS, 1);
        assertThat(ran.rows()).startsWith(2L).endsWith(1L);
        assertThat(latents(plain.reuseEvery(2).guidanceInterval(0, 0.5))).isNotEqualTo(latents(plain));
    }

    @Test
    void outsideItsIntervalGuidanceCostsNothing() {
        Recorder ran = Recorder.of(SMALL.guidanceInterval(0.2, 0.6).imagesPerPrompt(2));
        assertThat(ran.rows()).containsExactly(2L, 4L, 4L, 2L, 2L);
        assertThat(Recorder.of(SMALL.guidanceScale(1).guidanceInterval(0.2, 0.6))
                        .rows())
                .containsOnly(1L);
    }

    @Test
    void anEmptyIntervalIsRefused() {
        assertThatThrownBy(() -> latents(SMALL.guidanceInterval(0.5, 0.5)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("guidance_from is 0.5 and guidance_to is 0.5");
        assertThatThrownBy(() -> SMALL.guidanceInterval(0, 1.5)).hasMessageContaining("guidance_to is 1.5");
    }

    @Test
    void aBranchThatTheModelDoesNotHaveIsRefused() {
        assertThatThrownBy(() -> latents(SMALL.reuseEvery(2).reuseBranch(12)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("reuse_branch is 12")
                .hasMessageContaining("0 to 11");
        assertThatThrownBy(() -> SMALL.reuseEvery(0)).hasMessageContaining("reuse_every is 0");
    }

    @Test
    void whereGuidanceBeginsFeaturesAreComputedAnewAndWhereItEndsTheirPromptedHalfGoesOn() {
        Recorder ran = Recorder.of(SMALL.steps(6).reuseEvery(6).guidanceInterval(1 / 3.0, 2 / 3.0));
        assertThat(ran.rows()).containsExactly(1L, 1L, 2L, 2L, 1L, 1L);
        assertThat(ran.blocks()).containsExactly(BLOCKS, 1, BLOCKS, 1, 1, 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anImageOfABatchIsTheOneMadeAlone(boolean merges) {
        Request reusing = SMALL.merging(merges ? ToMeOptions.ratio(0.5) : ToMeOptions.NONE)
                .reuseEvery(2)
                .reuseBranch(1)
                .guidanceInterval(0, 0.6);
        Request both = reusing.prompts(List.of("a cat", "a dog"));
        Latents noise = pipeline.generate(both.steps(1)).latents(); // of two images
        try (var scope = TensorScope.open()) {
            List<float[]> together = rows(pipeline.generate(both.latents(noise)).latents());
            List<float[]> first = rows(noise);
            for (int i = 0; i < 2; i++) {
                Latents own = Latents.of(Tensors.of(first.get(i), 1, 4, 8, 8));
                float[] alone = latents(
                        reusing.prompts(both.prompts().subList(i, i + 1)).latents(own));
                for (int j = 0; j < alone.length; j++) {
                    assertThat(together.get(i)[j]).isCloseTo(alone[j], within(1e-3f));
                }
            }
        }
    }

    private static List<float[]> rows(Latents latents) {
        float[] all = latents.values();
        int half = all.length / 2;
        return List.of(Arrays.copyOf(all, half), Arrays.copyOfRange(all, half, 2 * half));
    }

    @Test
    void theImageCarriesWhatWasLeftOutAndIsMadeAgainFromThat() {
        Request asked = SMALL.reuseEvery(3)
                .reuseBranch(1)
                .reuseSchedule(Spacing.NONUNIFORM)
                .reuseCenter(0.25)
                .reusePower(1.2)
                .guidanceInterval(0.2, 0.8);
        Result result = pipeline.generate(asked);
        String text = result.image().parameters();
        assertThat(text)
                .contains("Reuse every: 3, Reuse branch: 1, Reuse schedule: nonuniform, Reuse center: 0.25")
                .contains("Reuse power: 1.2")
                .contains("Guidance from: 0.2, Guidance to: 0.8");
        Request read = GenerationParameters.parse(text).request();
        assertThat(read).isEqualTo(asked.guidanceScale(7.5).merging(ToMeOptions.NONE));
        assertThat(latents(read)).isEqualTo(result.latents().values());
        assertThat(pipeline.generate(SMALL).image().parameters()).doesNotContain("Reuse", "Guidance");
    }

    @Test
    void aHundredRunsThatReuseLeaveNothingBehindNorDoesOneThatIsStopped() {
        Request reusing = SMALL.merging(ToMeOptions.ratio(0.5).matchEvery(2))
                .reuseEvery(2)
                .steps(3)
                .guidanceInterval(0, 0.5);
        latents(reusing);
        long before = TensorScope.liveObjects();
        for (int i = 0; i < 100; i++) {
            pipeline.generate(reusing.seed(i).reuseBranch(i % 12));
        }
        assertThatThrownBy(() -> pipeline.generate(reusing, progress -> progress.done() < 2))
                .isInstanceOf(CancellationException.class);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
