package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LatentPreviewTest {
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    /** Red is a twentieth of the first channel, green of the second, blue a twentieth of the last less a half. */
    private static Tensor decode(Tensor latents) {
        Tensor red = Tensors.slice(latents, 1, 0, 1).mul(new Scalar(0.05));
        Tensor green = Tensors.slice(latents, 1, 1, 2).mul(new Scalar(0.05));
        Tensor blue = Tensors.slice(latents, 1, 3, 4).mul(new Scalar(0.05)).sub(new Scalar(0.5));
        Tensor small = Tensors.cat(1, red, green, blue);
        return torch.upsample_nearest2d(small, small.size(2) * 8, small.size(3) * 8);
    }

    @Test
    void theColourOfALinearDecoderIsFoundExactly() {
        try (var scope = TensorScope.open()) {
            LatentPreview preview = LinearPreview.fitted(4, 8, LatentPreviewTest::decode);
            float[] latents = {20, -20, -20, 20, 9, -9, 12, 12}; // two values of each channel
            BufferedImage image = preview.image(Tensors.of(latents, 1, 4, 2, 1));
            assertThat(image.getWidth()).isEqualTo(1);
            assertThat(image.getHeight()).isEqualTo(2);
            assertThat(image.getRGB(0, 0) & 0xffffff).isEqualTo(0xff008c);
            assertThat(image.getRGB(0, 1) & 0xffffff).isEqualTo(0x00ff8c);
            assertThat(preview.images(Tensors.of(new float[3 * 4], 3, 4, 1, 1))).hasSize(3);
        }
    }

    @Test
    void latentsOfAnotherModelAreRefused() {
        try (var scope = TensorScope.open()) {
            LatentPreview preview = LinearPreview.fitted(4, 8, LatentPreviewTest::decode);
            assertThatThrownBy(() -> preview.image(Tensors.of(new float[16], 1, 16, 1, 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[1, 16, 1, 1] instead of [B, 4, height, width]");
        }
    }

    @Test
    void previewsOfARunLeaveNothingBehind() {
        try (var pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd1").toString(), CPU_FP32)) {
            Request request = Request.of("a cat").seed(1).steps(3).size(64, 72).scheduler("euler_a");
            LatentPreview.of(pipeline);
            pipeline.generate(request);
            long before = TensorScope.liveObjects();
            LatentPreview preview = LatentPreview.of(pipeline);
            List<BufferedImage> images = new ArrayList<>();
            pipeline.generate(request, progress -> images.add(preview.image(progress.original())));
            assertThat(images).hasSize(3).allMatch(image -> image.getWidth() == 8 && image.getHeight() == 9);
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }

    private static StableDiffusionPipeline pipeline(String model, PipelineOptions options) {
        return StableDiffusionPipeline.fromPretrained(Fixtures.path(model).toString(), options);
    }

    private static int[] pixels(BufferedImage image) {
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }

    /** The last preview of a run, the latents it shows, and the image. */
    private record Shown(BufferedImage preview, Latents latents, BufferedImage image) {
        static Shown of(StableDiffusionPipeline pipeline, Request request) {
            LatentPreview preview = LatentPreview.of(pipeline);
            List<BufferedImage> images = new ArrayList<>();
            List<Latents> latents = new ArrayList<>();
            Result result = pipeline.generate(request, progress -> {
                images.add(preview.image(progress.original()));
                return latents.add(Latents.of(progress.original()));
            });
            int last = images.size() - 2; // after the very last step they are the image's own
            return new Shown(images.get(last), latents.get(last), result.image().toBufferedImage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-sd1", "tiny-sdxl"})
    void aVaeForPreviewsDecodesThemAtFullSizeAndChangesNoImage(String model) {
        Path taesd = Fixtures.path("tiny-taesd");
        Request request = Request.of("a cat").seed(1).steps(3).size(64, 72).scheduler("euler_a");
        Shown linear;
        Shown decoded;
        BufferedImage expected;
        try (var plain = pipeline(model, CPU_FP32);
                var previewing = pipeline(model, CPU_FP32.previewVae(taesd));
                var decoding = pipeline(model, CPU_FP32.vae(taesd))) {
            linear = Shown.of(plain, request);
            decoded = Shown.of(previewing, request);
            expected = decoding.decode(decoded.latents(), request).get(0).toBufferedImage();
        }
        assertThat(decoded.preview().getWidth()).isEqualTo(64);
        assertThat(decoded.preview().getHeight()).isEqualTo(72);
        assertThat(pixels(decoded.preview())).isEqualTo(pixels(expected));
        assertThat(pixels(decoded.image())).isEqualTo(pixels(linear.image()));
        assertThat(linear.preview().getWidth()).isEqualTo(8);
        byte[] enlarged =
                Resampling.NEAREST.resize(Pixels.of(linear.preview()), 64, 72).values();
        assertThat(enlarged).isNotEqualTo(Pixels.of(decoded.preview()).values());
    }

    @Test
    void anyVaeOfTheFamilyDecodesPreviewsOfEachImageOfABatch() {
        Request request = Request.of("a cat").seed(1).steps(2).size(64, 64).imagesPerPrompt(2);
        try (var pipeline = pipeline("tiny-sd1", CPU_FP32.previewVae(Fixtures.path("tiny-sd1")))) {
            LatentPreview preview = LatentPreview.of(pipeline);
            List<List<BufferedImage>> previews = new ArrayList<>();
            Result result = pipeline.generate(request, progress -> previews.add(preview.images(progress.latents())));
            for (int i = 0; i < 2; i++) {
                assertThat(pixels(previews.get(previews.size() - 1).get(i)))
                        .isEqualTo(pixels(result.images().get(i).toBufferedImage()));
            }
        }
    }

    @Test
    void aVaeForPreviewsIsFreedWithThePipelineAndItsPreviewsAtOnce() {
        Request request = Request.of("a cat").seed(1).steps(2).size(64, 64);
        long without = TensorScope.liveObjects();
        var pipeline = pipeline("tiny-sd1", CPU_FP32.previewVae(Fixtures.path("tiny-taesd")));
        LatentPreview preview = LatentPreview.of(pipeline);
        pipeline.generate(request);
        long before = TensorScope.liveObjects();
        pipeline.generate(
                request, progress -> preview.image(progress.original()).getWidth() == 64);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
        pipeline.close();
        assertThat(TensorScope.liveObjects()).isEqualTo(without);
        try (var scope = TensorScope.open()) {
            assertThatThrownBy(() -> preview.image(Tensors.of(new float[4 * 64], 1, 4, 8, 8)))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aVaeForPreviewsThatDoesNotFitIsRefusedWhileLoading(@TempDir Path folder) throws IOException {
        Path xl = Files.copy(
                Fixtures.path("tiny-taesd").resolve("diffusion_pytorch_model.safetensors"),
                folder.resolve("taesdxl.safetensors"));
        long before = TensorScope.liveObjects();
        assertThatThrownBy(() -> pipeline("tiny-sd1", CPU_FP32.previewVae(xl)))
                .isInstanceOfSatisfying(
                        TomeException.class, e -> assertThat(e.option()).isEqualTo("preview_vae"))
                .hasMessageContaining("Stable Diffusion XL");
        assertThatThrownBy(() -> pipeline("tiny-sd1", CPU_FP32.previewVae(halfSize(folder))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("4 pixels a latent where Stable Diffusion has 8");
        assertThatThrownBy(() -> pipeline("tiny-sd1", CPU_FP32.previewVae(folder.resolve("none"))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no file and no folder");
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    /** A tiny decoder of three levels: four pixels a latent. */
    private static Path halfSize(Path folder) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (var scope = TensorScope.open()) {
            convolution(tensors, "1", 4, true);
            for (String level : List.of("6", "10")) {
                convolution(tensors, level, 4, false);
            }
            for (String block : List.of("3", "4", "7", "8", "11")) {
                for (int layer = 0; layer < 5; layer += 2) {
                    convolution(tensors, block + ".conv." + layer, 4, true);
                }
            }
            tensors.put("12.weight", Tensors.of(new float[3 * 4 * 9], 3, 4, 3, 3));
            tensors.put("12.bias", Tensors.of(new float[3], 3));
            Path file = folder.resolve("half.safetensors");
            SafetensorsWriter.write(file, tensors);
            return file;
        }
    }

    private static void convolution(Map<String, Tensor> tensors, String name, int width, boolean bias) {
        tensors.put(name + ".weight", Tensors.of(new float[width * width * 9], width, width, 3, 3));
        if (bias) {
            tensors.put(name + ".bias", Tensors.of(new float[width], width));
        }
    }
}
