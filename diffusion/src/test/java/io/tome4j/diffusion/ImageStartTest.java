package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageStartTest {
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final SourceImage PHOTO = SourceImage.read(Fixtures.path("inpaint/source.png"));
    private static final SourceImage MASK = SourceImage.read(Fixtures.path("inpaint/mask.png"));
    private static final Request REQUEST =
            Request.of("a robot").seed(5).steps(4).scheduler("euler_a").merging(ToMeOptions.NONE);

    private static StableDiffusionPipeline pipeline;

    @BeforeAll
    static void load() {
        pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd2").toString(), CPU);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Pixels generated(Request request) {
        return Pixels.of(pipeline.generate(request).image().toBufferedImage());
    }

    private static Pixels plain(int width, int height, int level) {
        byte[] values = new byte[3 * width * height];
        java.util.Arrays.fill(values, (byte) level);
        return Pixels.rgb(width, height, values);
    }

    @Test
    void theImagesOwnSizeCountsRoundedDownToLatents() {
        Pixels image = generated(REQUEST.start(Start.from(PHOTO, 0.5)));
        assertThat(image.toString()).isEqualTo("72 x 56 RGB pixels");
        assertThat(generated(REQUEST.start(Start.from(PHOTO, 0.5)).size(0, 64)).height())
                .isEqualTo(64);
    }

    @Test
    void aStrengthThatLeavesNoStepSaysTheSmallestThatDoes() {
        for (String strength : List.of("0", "0.24")) {
            Request request = REQUEST.start(Start.from(PHOTO, Double.parseDouble(strength)));
            assertThatThrownBy(() -> pipeline.generate(request))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("strength is " + strength)
                    .hasMessageContaining("0.25");
        }
        assertThat(pipeline.generate(REQUEST.start(Start.from(PHOTO, 0.25)))
                        .timings()
                        .steps())
                .hasSize(1);
        for (int steps = 1; steps <= 1000; steps++) {
            String smallest = smallestStrength(steps);
            assertThat((int) (steps * Double.parseDouble(smallest)))
                    .as("%s of %s steps", smallest, steps)
                    .isEqualTo(1);
        }
    }

    private static String smallestStrength(int steps) {
        try {
            REQUEST.steps(steps).start(Start.from(PHOTO, 0)).requireStrength();
            throw new AssertionError("0 leaves no step");
        } catch (OptionException e) {
            return String.valueOf(e.getMessage()).replaceAll(".* ", "");
        }
    }

    @Test
    void aMaskOfAnotherSizeIsAnError() {
        assertThatThrownBy(() -> Start.from(PHOTO).repainting(SourceImage.of(plain(76, 61, 255))))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("76 x 61")
                .hasMessageContaining("77 x 61");
    }

    @Test
    void aSinglePixelNeedsASize() {
        ImageStart pixel = Start.from(SourceImage.of(plain(1, 1, 90)), 0.5);
        assertThatThrownBy(() -> pipeline.generate(REQUEST.start(pixel)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("1 x 1 pixels")
                .hasMessageContaining("8 x 8");
        assertThat(generated(REQUEST.start(pixel).size(64, 48)).width()).isEqualTo(64);
    }

    @Test
    void aBlackMaskHasNothingToCropTo() {
        Request request = REQUEST.start(Start.from(PHOTO).repainting(SourceImage.of(plain(77, 61, 0))))
                .paddingMaskCrop(4);
        assertThatThrownBy(() -> pipeline.generate(request)).hasMessageContaining("mask is black");
    }

    @Test
    void whatIsNotMaskedComesBackToTheBit() {
        Pixels photo = plain(64, 64, 77);
        byte[] white = new byte[3 * 64 * 64];
        java.util.Arrays.fill(white, 0, white.length / 2, (byte) 255);
        ImageStart start = Start.from(SourceImage.of(photo), 0.8).repainting(SourceImage.of(Pixels.rgb(64, 64, white)));
        Pixels pasted = generated(REQUEST.start(start));
        Pixels notPasted = generated(REQUEST.start(start).pasteBack(false));
        assertThat(pasted.at(10, 33, 1)).isEqualTo(77);
        assertThat(pasted.at(63, 63, 2)).isEqualTo(77);
        assertThat(notPasted.at(10, 60, 1)).isNotEqualTo(77);
        assertThat(pasted.at(10, 10, 1)).isEqualTo(notPasted.at(10, 10, 1));
    }

    @Test
    void anImageIsExtendedAndItselfStays() {
        Pixels photo = plain(48, 48, 77);
        Pixels larger =
                generated(REQUEST.start(Start.from(SourceImage.of(photo))).extend(16, 0, 8, 24));
        assertThat(larger.toString()).isEqualTo("72 x 72 RGB pixels");
        assertThat(larger.at(16, 0, 0)).isEqualTo(77);
        assertThat(larger.at(63, 47, 2)).isEqualTo(77);
        List<Integer> beside = new ArrayList<>();
        for (int y = 0; y < 72; y++) {
            beside.add(larger.at(3, y, 0));
        }
        assertThat(beside).anyMatch(level -> level != 77);
    }

    @Test
    void eachOfSeveralImagesIsTheOneOfItsSeedAlone() {
        Request request = REQUEST.start(Start.from(PHOTO, 0.75).repainting(MASK));
        Result both = pipeline.generate(request.imagesPerPrompt(2).seedPerImage(true));
        Pixels second = generated(request.seed(6));
        assertThat(Pixels.of(both.images().get(1).toBufferedImage())).isEqualTo(second);
    }

    @Test
    void guidanceAndReuseCountTheStepsThatAreRun() {
        Request request = REQUEST.steps(8).start(Start.from(PHOTO, 0.5));
        List<Integer> rows = new ArrayList<>();
        StepListener counting = new StepListener() {
            @Override
            public boolean onStep(Progress progress) {
                rows.add(progress.total());
                return true;
            }
        };
        pipeline.generate(request.guidanceInterval(0, 0.5).reuseEvery(2), counting);
        assertThat(rows).containsExactly(4, 4, 4, 4);
        assertThat(generated(request.guidanceInterval(0, 0.5))).isNotEqualTo(generated(request));
        assertThat(generated(request.guidanceInterval(0, 0.12))).isEqualTo(generated(request.guidanceScale(1)));
        assertThat(generated(request.reuseEvery(2))).isNotEqualTo(generated(request));
    }

    @Test
    void theParametersNameTheSourcesAndReadBack() {
        Request request =
                REQUEST.start(Start.from(PHOTO, 0.75).repainting(MASK)).maskBlur(2);
        String text = pipeline.generate(request).image().parameters();
        assertThat(text)
                .contains("Denoising strength: 0.75, Mask blur: 2")
                .contains("Init image: source.png, Init image hash: " + PHOTO.sha256())
                .contains("Mask: mask.png, Mask hash: " + MASK.sha256());
        GenerationParameters parsed = GenerationParameters.parse(text);
        assertThat(parsed.request().strength()).isEqualTo(0.75);
        assertThat(parsed.request().maskBlur()).isEqualTo(2);
        assertThat(parsed.sources()).isEqualTo(request.start().sources());
        assertThat(parsed.toText()).isEqualTo(text);
    }

    @Test
    void anImageIsRepeatedFromItsParametersAndItsSources(@TempDir Path folder) throws IOException {
        Files.copy(Fixtures.path("inpaint/source.png"), folder.resolve("source.png"));
        Files.copy(Fixtures.path("inpaint/mask.png"), folder.resolve("mask.png"));
        Request request = REQUEST.start(Start.from(PHOTO, 0.75).repainting(MASK))
                .maskBlur(2)
                .paddingMaskCrop(5);
        Result result = pipeline.generate(request);
        GenerationParameters parsed = GenerationParameters.parse(result.image().parameters());
        assertThat(pipeline.generate(parsed.repeated(folder)).latents().values())
                .isEqualTo(result.latents().values());

        Files.delete(folder.resolve("mask.png"));
        assertThatThrownBy(() -> parsed.repeated(folder)).hasMessageContaining("mask 'mask.png' is not in");
        Files.copy(Fixtures.path("inpaint/mask.png"), folder.resolve("mask.png"));
        Files.copy(
                Fixtures.path("img2img/source.png"),
                folder.resolve("source.png"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.write(folder.resolve("source.png"), new byte[] {0}, java.nio.file.StandardOpenOption.APPEND);
        assertThatThrownBy(() -> parsed.repeated(folder))
                .hasMessageContaining("source.png has changed")
                .hasMessageContaining(PHOTO.sha256());
    }

    @Test
    void aModelForInpaintingSaysWhatItNeeds(@TempDir Path folder) {
        Fixtures.copy("tiny-sd2", folder, file -> !file.startsWith("unet") && !file.endsWith("model_index.json"));
        Fixtures.copy("inpaint", folder, file -> file.startsWith("unet") || file.endsWith("model_index.json"));
        try (var inpainting = StableDiffusionPipeline.fromPretrained(folder.toString(), CPU)) {
            for (Request request : List.of(REQUEST.size(64, 64), REQUEST.start(Start.from(PHOTO, 0.5)))) {
                assertThatThrownBy(() -> inpainting.generate(request))
                        .isInstanceOf(OptionException.class)
                        .hasMessageContaining("9 input channels")
                        .hasMessageContaining("mask");
            }
        }
    }

    @Test
    void nothingNativeStays() {
        Request request =
                REQUEST.start(Start.from(PHOTO, 0.75).repainting(MASK)).paddingMaskCrop(3);
        pipeline.generate(request);
        long before = TensorScope.liveObjects();
        pipeline.generate(request);
        pipeline.generate(REQUEST.start(Start.from(PHOTO, 0.75)));
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
