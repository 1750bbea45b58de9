package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A latent consistency model, whose UNet is told the guidance scale, in a single file with LDM's names. */
class LcmSingleFileTest {
    private static final List<String> OF_LCM =
            List.of("unet/config.json", "scheduler/scheduler_config.json", "model_index.json");
    private static final String DIFFUSERS = "time_embedding.cond_proj.weight";
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    @TempDir
    Path work;

    private Path folder() throws IOException {
        Path folder = work.resolve("lcm");
        Fixtures.copy(
                "tiny-sd1", folder, file -> !OF_LCM.contains(file.toString().replace('\\', '/')));
        Path unet = folder.resolve("unet");
        Files.move(
                unet.resolve("diffusion_pytorch_model.safetensors"),
                unet.resolve("diffusion_pytorch_model-00001-of-00002.safetensors"));
        Fixtures.copy("few-steps/lcm", folder, file -> true);
        return folder;
    }

    /** The one tensor that ordinary models do not have, under LDM's name. */
    private Path file(Path folder) {
        Path file = LdmFile.write(folder, work.resolve("under-both-names.safetensors"), false);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (var scope = TensorScope.open()) {
            SafetensorsFile written = SafetensorsFile.open(file);
            for (String name : written.names()) {
                tensors.put(name.replace(DIFFUSERS, "time_embed.cond_proj.weight"), written.load(name));
            }
            return write(tensors);
        }
    }

    private Path write(Map<String, Tensor> tensors) {
        assertThat(tensors).containsKey("model.diffusion_model.time_embed.cond_proj.weight");
        Path file = work.resolve("model.safetensors");
        SafetensorsWriter.write(file, tensors);
        return file;
    }

    private static int[] pixels(Path model, PipelineOptions options, double guidance) {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), options)) {
            Request request =
                    Request.of("a red fox").seed(5).steps(3).size(64, 64).guidanceScale(guidance);
            var image = pipeline.generate(request).image().toBufferedImage();
            return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        }
    }

    @Test
    void theFileGivesTheImageOfItsFolder() throws IOException {
        Path folder = folder();
        Path file = file(folder);
        int[] expected = pixels(folder, CPU, 8);
        PipelineOptions like = CPU.config(folder.toString());
        assertThat(pixels(file, like, 8)).isEqualTo(expected);
        assertThat(pixels(file, like, 2)).isNotEqualTo(expected);
    }
}
