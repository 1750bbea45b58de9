package io.tome4j.diffusion;

import static io.tome4j.diffusion.PipelineParityTest.mostChannelsDiffer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ESRGANs of {@code reference/parts/upscalers.py} on images, and as what enlarges between two passes. */
class ImageUpscalerTest {
    private static final Request HIRES =
            Request.of("a cat").seed(1).steps(2).size(64, 64).hires(2);

    @TempDir
    Path folder;

    private static Path fixture(String name) {
        return Fixtures.path("upscalers/" + name);
    }

    private static ImageUpscaler open(String name) {
        return ImageUpscaler.open(fixture(name + ".safetensors"), Placement.CPU_FP32);
    }

    @Test
    void anImageIsEnlargedAsTheReferenceDoes() throws IOException {
        var image = ImageFiles.read(fixture("image.png"));
        try (ImageUpscaler four = open("real-4x");
                ImageUpscaler two = open("first-2x")) {
            assertThat(mostChannelsDiffer(
                            four.enlarge(image).toBufferedImage(),
                            ImageFiles.read(fixture("real-4x.png")).toBufferedImage()))
                    .isLessThanOrEqualTo(2);
            assertThat(mostChannelsDiffer(
                            two.enlarge(image, 130, 92).toBufferedImage(),
                            ImageFiles.read(fixture("first-2x-to-130x92.png")).toBufferedImage()))
                    .isLessThanOrEqualTo(2);
        }
    }

    private static StableDiffusionPipeline pipeline() {
        return StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    @Test
    void anImageSaysWhatEnlargedItAndIsMadeAgainFromThat() throws IOException {
        Path models = Files.createDirectories(folder.resolve("models/ESRGAN/anime"));
        Path file = Files.copy(fixture("real-4x.safetensors"), models.resolve("4x-Sharp.safetensors"));
        try (var pipeline = pipeline()) {
            pipeline.generate(HIRES.hiresUpscaler(file));
            long before = TensorScope.liveObjects();
            Result result = pipeline.generate(HIRES.hiresUpscaler(file));
            assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(before);
            String text = result.image().parameters();
            assertThat(text).contains("Hires upscaler: 4x-Sharp,");
            GenerationParameters read = GenerationParameters.parse(text);
            assertThat(read.toText()).isEqualTo(text);
            Request again = UpscalerFolder.of(folder).resolve(read.request());
            assertThat(again.hiresUpscaler()).isEqualTo(file.toString());
            assertThat(pipeline.generate(again).image().png())
                    .isEqualTo(result.image().png());
            assertThatThrownBy(() -> pipeline.generate(read.request()))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("'4x-Sharp', and there is no such file");
        }
    }

    @Test
    void anotherFileIsRefusedBeforeTheFirstStep() {
        Path taesd = Fixtures.path("tiny-taesd/diffusion_pytorch_model.safetensors");
        try (var pipeline = pipeline()) {
            assertThatThrownBy(() -> pipeline.generate(HIRES.hiresUpscaler(taesd), progress -> {
                        throw new AssertionError("it began");
                    }))
                    .isInstanceOfSatisfying(
                            TomeException.class, e -> assertThat(e.option()).isEqualTo("hires_upscaler"))
                    .hasMessageContaining("no ESRGAN");
        }
    }

    @Test
    void anUnknownNameSaysWhichAreAlike() throws IOException {
        Files.copy(fixture("real-4x.safetensors"), folder.resolve("4x-Sharp.safetensors"));
        UpscalerFolder upscalers = UpscalerFolder.of(folder);
        assertThat(upscalers.names()).containsExactly("4x-Sharp");
        assertThatThrownBy(() -> upscalers.resolve(HIRES.with(Request.HIRES_UPSCALER, "4x-Sharq")))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("alike are 4x-Sharp");
        assertThat(upscalers
                        .resolve(HIRES.with(Request.HIRES_UPSCALER, "Latent (bicubic)"))
                        .hiresUpscaler())
                .isEqualTo("latent_bicubic");
    }
}
