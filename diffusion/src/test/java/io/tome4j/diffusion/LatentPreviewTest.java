package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
            LatentPreview preview = LatentPreview.fitted(4, 8, LatentPreviewTest::decode);
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
            LatentPreview preview = LatentPreview.fitted(4, 8, LatentPreviewTest::decode);
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
}
