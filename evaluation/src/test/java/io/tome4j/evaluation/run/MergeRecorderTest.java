package io.tome4j.evaluation.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MergeRecorderTest {
    private static final Request REQUEST =
            Request.of("an apple").seed(3).steps(2).size(128, 128);
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);
    private static StableDiffusionPipeline pipeline;
    private static String block;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Path.of(System.getProperty("tome4j.fixtures"))
                        .resolve("tiny-sd1")
                        .toString(),
                PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32));
        block = MergeRecorder.usualBlock(pipeline);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static MergeRecorder recorder(int step) {
        return MergeRecorder.of(pipeline, new MapPlace(Optional.empty(), step), StepListener.NONE);
    }

    private static MergeMap map(ToMeOptions options) {
        MergeRecorder recorder = recorder(1);
        pipeline.generate(REQUEST.merging(options), recorder);
        assertThat(recorder.maps()).hasSize(1);
        return recorder.maps().get(0);
    }

    @Test
    void groupsPartitionTheTokensAndAreAsManyAsAreLeft() {
        for (ToMeOptions options :
                new ToMeOptions[] {HALF, HALF.method(ToMeOptions.Method.QUERY), HALF.matchTogether(true)}) {
            MergeMap map = map(options);
            assertThat(map.grid()).isEqualTo(new TokenGrid(16, 16));
            assertThat(map.step()).isEqualTo(1);
            assertThat(map.groups()).isEqualTo(256 - 128);
            assertThat(map.sizes()).hasSize(128).doesNotContain(0);
            assertThat(Arrays.stream(map.sizes()).sum()).isEqualTo(256);
        }
    }

    @Test
    void ofSampledKeysEachIsAGroupAndTheOthersAreDropped() {
        MergeMap map = map(ToMeOptions.ratio(0.75).method(ToMeOptions.Method.TODO));
        assertThat(map.groups()).isEqualTo(64);
        assertThat(map.sizes()).containsOnly(1);
        assertThat(map.group(0)).isZero();
        assertThat(map.group(1)).isEqualTo(MergeMap.DROPPED);
    }

    @Test
    void withoutMergingEachTokenIsItsOwnGroup() {
        MergeMap map = map(ToMeOptions.ratio(0));
        assertThat(map.groups()).isEqualTo(256);
        assertThat(map.group(77)).isEqualTo(77);
    }

    @Test
    void recordingChangesNothingAndLeavesNothingBehind() {
        Request merged = REQUEST.merging(HALF);
        Image plain = pipeline.generate(merged).image();
        long before = TensorScope.liveObjects();
        MergeRecorder recorder = recorder(0);
        Image watched = pipeline.generate(merged, recorder).image();
        assertThat(recorder.maps()).hasSize(1);
        assertThat(pixels(watched.toBufferedImage())).isEqualTo(pixels(plain.toBufferedImage()));
        assertThat(watched.parameters()).isEqualTo(plain.parameters());
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void whoeverListensBesideHearsAllThatTheRecorderHears() {
        List<String> heard = new ArrayList<>();
        StepListener listener = new StepListener() {
            @Override
            public boolean onStep(Progress progress) {
                return heard.add("step");
            }

            @Override
            public void onMerge(
                    MergeableBlock asking, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
                heard.add("merge");
            }
        };
        pipeline.generate(
                REQUEST.steps(1).merging(HALF),
                MergeRecorder.of(pipeline, new MapPlace(Optional.of(block), 0), listener));
        assertThat(heard).endsWith("step").filteredOn("merge"::equals).hasSameSizeAs(pipeline.mergeableBlocks());
    }

    @Test
    void aStepThatIsNotReachedGivesNoMap() {
        MergeRecorder recorder = recorder(99);
        pipeline.generate(REQUEST.steps(1).merging(HALF), recorder);
        assertThat(recorder.maps()).isEmpty();
    }

    @Test
    void anUnknownBlockIsAnErrorThatNamesThoseThereAre() {
        assertThatThrownBy(() -> MergeRecorder.of(pipeline, new MapPlace(Optional.of("down"), 0), StepListener.NONE))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("map_block is down")
                .hasMessageContaining(block);
        assertThatThrownBy(() -> new MapPlace(Optional.empty(), -1)).hasMessageContaining("map_step is 0");
    }

    @Test
    void aGroupIsDrawnInItsMeanColourWithABorder() {
        // Two tokens of 8 pixels above two: the first and the last are one group, the third is dropped.
        MergeMap map = new MergeMap("b", 0, new TokenGrid(2, 2), 1, new long[] {5, 9, -1, 5});
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 16; x++) {
                image.setRGB(x, y, x < 8 && y < 8 ? 0x640a00 : x >= 8 && y >= 8 ? 0x001e00 : 0x0000c8);
            }
        }
        BufferedImage drawn = map.draw(image);
        assertThat(drawn.getRGB(4, 4) & 0xffffff).isEqualTo(0x321400);
        assertThat(drawn.getRGB(12, 12)).isEqualTo(drawn.getRGB(4, 4));
        assertThat(drawn.getRGB(12, 4) & 0xffffff).isEqualTo(0x0000c8);
        assertThat(drawn.getRGB(4, 12) & 0xffffff).isZero();
        assertThat(drawn.getRGB(7, 4)).isEqualTo(drawn.getRGB(8, 12)).isNotEqualTo(drawn.getRGB(4, 4));
        assertThatThrownBy(() -> map.draw(new BufferedImage(17, 16, BufferedImage.TYPE_INT_RGB)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("17 x 16");
    }

    private static int[] pixels(BufferedImage image) {
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }
}
