package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Regions that are left out of merging: which tokens change, and what an image says of it. */
class ProtectionTest {
    private static final int WIDTH = 72;
    private static final int HEIGHT = 56;
    private static final TokenGrid WHOLE = new TokenGrid(7, 9);
    private static final TokenGrid HALF = new TokenGrid(4, 5);
    private static final SourceImage PHOTO = SourceImage.of(rectangle(WIDTH, HEIGHT, 5, 5, 60, 20, 1));
    private static final ToMeOptions MERGING = ToMeOptions.ratio(0.7).maxDownsample(2);
    private static final Request REQUEST = Request.of("a robot")
            .seed(5)
            .steps(3)
            .scheduler("euler_a")
            .size(WIDTH, HEIGHT)
            .merging(MERGING);

    /** White from (left, top) to (right, bottom), exclusive, of an image scaled by a factor. */
    private static Pixels rectangle(int width, int height, int left, int top, int right, int bottom, int scale) {
        byte[] values = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int x = i % width / scale;
            int y = i / width / scale;
            byte level = (byte) (x >= left && x < right && y >= top && y < bottom ? 255 : 0);
            values[3 * i] = level;
            values[3 * i + 1] = level;
            values[3 * i + 2] = level;
        }
        return Pixels.rgb(width, height, values);
    }

    /** White over the latents 3 to 5 of rows 2 to 4. */
    private static SourceImage mask() {
        return SourceImage.of(rectangle(WIDTH, HEIGHT, 24, 16, 47, 33, 1));
    }

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

    /** By grid, the tokens that any block of any step changes by merging and unmerging. */
    private static Map<TokenGrid, TreeSet<Integer>> changed(Request request) {
        Map<TokenGrid, TreeSet<Integer>> changed = new HashMap<>();
        pipeline.generate(request, new StepListener() {
            @Override
            public boolean onStep(Progress progress) {
                return true;
            }

            @Override
            public void onMerge(
                    MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
                try (var scope = TensorScope.open()) {
                    var queries = merge.attention().queries();
                    Tensor back = queries.unmerge(queries.merge(hidden));
                    float[] before = Tensors.floats(hidden.contiguous());
                    float[] after = Tensors.floats(back.contiguous());
                    int channels = (int) hidden.size(2);
                    for (int i = 0; i < before.length; i++) {
                        if (before[i] != after[i]) {
                            changed.computeIfAbsent(grid, any -> new TreeSet<>())
                                    .add(i / channels % grid.tokens());
                        }
                    }
                }
            }
        });
        return changed;
    }

    private static boolean isInside(int token, TokenGrid grid, int left, int top, int right, int bottom) {
        int x = token % grid.width();
        int y = token / grid.width();
        return x >= left && x <= right && y >= top && y <= bottom;
    }

    private static void assertProtected(Map<TokenGrid, TreeSet<Integer>> changed) {
        assertThat(changed.get(WHOLE)).isNotEmpty().noneMatch(token -> isInside(token, WHOLE, 3, 2, 5, 4));
        assertThat(changed.get(HALF)).isNotEmpty().noneMatch(token -> isInside(token, HALF, 1, 1, 2, 2));
    }

    @Test
    void tokensUnderTheMaskComeOutOfEveryBlockToTheBit() {
        assertThat(changed(REQUEST).get(WHOLE)).anyMatch(token -> isInside(token, WHOLE, 3, 2, 5, 4));
        assertProtected(changed(REQUEST.protect(mask())));
        assertProtected(changed(REQUEST.protect(mask())
                .merging(MERGING.method(ToMeOptions.Method.QUERY).matchPer(ToMeOptions.MatchPer.BLOCK))));
    }

    @Test
    void whatIsRepaintedIsProtectedUnlessThatIsTurnedOff() {
        Request inpainting = REQUEST.start(Start.from(PHOTO, 0.9).repainting(mask()));
        assertProtected(changed(inpainting));
        assertThat(changed(inpainting.protectRepainted(false)).get(WHOLE))
                .anyMatch(token -> isInside(token, WHOLE, 3, 2, 5, 4));
        var report = pipeline.generate(inpainting).merging();
        assertThat(report.summary()).contains("9 of the 63 places").contains("protected");
        // methods that cannot leave tokens out merge as ever
        pipeline.generate(inpainting.merging(ToMeOptions.ratio(0.5).method(ToMeOptions.Method.TODO)));
        pipeline.generate(inpainting.merging(ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD)));
    }

    @Test
    void theSecondPassOfHiresProtectsTheSamePlaces() {
        Map<TokenGrid, TreeSet<Integer>> changed =
                changed(REQUEST.protect(mask()).hires(2).hiresStrength(0.9));
        assertProtected(changed);
        assertThat(changed.get(new TokenGrid(14, 18)))
                .isNotEmpty()
                .noneMatch(token -> isInside(token, new TokenGrid(14, 18), 6, 4, 11, 8));
    }

    @Test
    void theParametersNameTheMaskAndRepeatTheImage(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("face.png");
        ImageIO.write(mask().pixels().toBufferedImage(), "png", file.toFile());
        Result result = pipeline.generate(REQUEST.protect(SourceImage.read(file)));
        String text = result.image().parameters();
        assertThat(text).contains("Protect: face.png, Protect hash: " + SourceImage.sha256(file));
        GenerationParameters read = GenerationParameters.parse(text);
        assertThat(read.toText()).isEqualTo(text);
        assertThat(pipeline.generate(read.repeated(folder)).latents().values())
                .isEqualTo(result.latents().values());
        assertThat(pipeline.generate(REQUEST).latents().values())
                .isNotEqualTo(result.latents().values());
        Files.delete(file);
        assertThatThrownBy(() -> read.repeated(folder)).hasMessageContaining("'face.png' is not in");
    }

    @Test
    void theOptionOfWhatIsRepaintedReadsBack() {
        Request inpainting =
                REQUEST.start(Start.from(PHOTO, 0.9).repainting(mask())).protectRepainted(false);
        String text = pipeline.generate(inpainting).image().parameters();
        assertThat(text).contains("Protect repainted: False");
        assertThat(GenerationParameters.parse(text).request().protectRepainted())
                .isFalse();
    }

    @Test
    void aMaskThatCannotBeUsedIsSaid() {
        SourceImage small = SourceImage.of(rectangle(WIDTH - 8, HEIGHT, 0, 0, 9, 9, 1));
        assertRefused(REQUEST.protect(small), "64 x 56 pixels: it must have the image's size, 72 x 56");
        assertRefused(REQUEST.protect(mask()).merging(ToMeOptions.NONE), "nothing is");
        assertRefused(
                REQUEST.protect(mask()).merging(ToMeOptions.ratio(0.5).method(ToMeOptions.Method.TODO)),
                "method tome or query");
        assertRefused(
                REQUEST.protect(mask()).merging(ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD)), "mode tomesd");
        assertRefused(
                REQUEST.start(Start.from(PHOTO, 0.9).repainting(mask()))
                        .paddingMaskCrop(4)
                        .protect(mask()),
                "padding_mask_crop");
    }

    @Test
    void aMaskOfTheInitialImagesSizeFollowsIt() {
        SourceImage large = SourceImage.of(rectangle(2 * WIDTH, 2 * HEIGHT, 5, 5, 60, 20, 2));
        SourceImage mask = SourceImage.of(rectangle(2 * WIDTH, 2 * HEIGHT, 24, 16, 47, 33, 2));
        assertProtected(changed(REQUEST.start(Start.from(large, 0.9)).protect(mask)));
    }

    private static void assertRefused(Request request, String message) {
        assertThatThrownBy(() -> pipeline.generate(request))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining(message);
    }

    @Test
    void nothingNativeStays() {
        Request request =
                REQUEST.protect(mask()).merging(MERGING.withRatio(0.2, 0.7).matchEvery(2));
        pipeline.generate(request);
        long before = TensorScope.liveObjects();
        pipeline.generate(request);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void aRatioThatChangesReadsBackAndMakesTheSameImage() {
        Result result = pipeline.generate(REQUEST.steps(4).merging(MERGING.withRatio(0.2, 0.6)));
        String text = result.image().parameters();
        assertThat(text).contains("Token merging ratio: 0.2, Token merging ratio end: 0.6");
        GenerationParameters read = GenerationParameters.parse(text);
        assertThat(read.merging()).isEqualTo(MERGING.withRatio(0.2, 0.6));
        assertThat(pipeline.generate(read.request()).latents().values())
                .isEqualTo(result.latents().values());
        Map<Integer, Long> left = new HashMap<>();
        pipeline.generate(REQUEST.steps(5).merging(MERGING.withRatio(0.2, 0.6)), new StepListener() {
            @Override
            public boolean onStep(Progress progress) {
                return true;
            }

            @Override
            public void onMerge(
                    MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
                if (grid.equals(WHOLE)) {
                    try (var scope = TensorScope.open()) {
                        left.put(
                                context.step(),
                                merge.attention().queries().merge(hidden).size(1));
                    }
                }
            }
        });
        assertThat(left.values()).containsExactly(63L - 12, 63L - 18, 63L - 25, 63L - 31, 63L - 37);
    }
}
