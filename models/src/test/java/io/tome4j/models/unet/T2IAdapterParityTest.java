package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What tiny T2I-Adapters make of an image, compared with diffusers': {@code reference/parts/t2i_adapter.py}. */
class T2IAdapterParityTest {
    private static final double TOLERANCE = 1e-4;

    @TempDir
    private static Path folder;

    private static Config config(String adapter) {
        return Config.read(Fixtures.path("t2i-adapter/" + adapter + "/config.json"));
    }

    private static SafetensorsFile tensors(String adapter) {
        return SafetensorsFile.open(Fixtures.path("t2i-adapter/" + adapter + "/diffusion_pytorch_model.safetensors"));
    }

    private static void requireFeaturesOf(String name, Weights.Source source, T2IAdapterConfig config) {
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("t2i-adapter/features.safetensors"));
        try (var adapter = T2IAdapterModel.of(Weights.of(source, Placement.CPU_FP32), config);
                var scope = TensorScope.open()) {
            Tensor image = expected.load(name + ".image");
            List<Tensor> features = adapter.forward(image);
            assertThat(features).hasSize(4);
            long bytes = 0;
            for (int i = 0; i < features.size(); i++) {
                assertThat(Fixtures.maxDifference(features.get(i), expected.load(name + "." + i)))
                        .isLessThan(TOLERANCE);
                bytes += 4 * features.get(i).numel();
            }
            assertThat(adapter.featureBytes((int) image.size(3), (int) image.size(2)))
                    .isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "grey", "light", "xl"})
    void featuresAreThoseOfDiffusers(String name) {
        requireFeaturesOf(name, tensors(name), T2IAdapterConfig.of(config(name)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "light"})
    void halfPrecisionGivesThemRounded(String name) {
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("t2i-adapter/features.safetensors"));
        Placement half = Placement.CPU_FP32.dtype(DType.BF16);
        try (var adapter = T2IAdapterModel.of(Weights.of(tensors(name), half), T2IAdapterConfig.of(config(name)));
                var scope = TensorScope.open()) {
            List<Tensor> features = adapter.forward(expected.load(name + ".image"));
            for (int i = 0; i < features.size(); i++) {
                Tensor exact = expected.load(name + "." + i);
                double largest = exact.abs().max().item_float();
                Tensor rounded = Placement.CPU_FP32.place(features.get(i));
                assertThat(Fixtures.maxDifference(rounded, exact)).isLessThan(0.05 * largest);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "grey", "light", "xl"})
    void aFileWithoutAConfigIsReadOffItsShapes(String name) {
        T2IAdapterFile file = T2IAdapterFile.of(tensors(name));
        assertThat(file.config()).isEqualTo(T2IAdapterConfig.of(config(name)));
    }

    @ParameterizedTest
    @CsvSource({"full, 2", "grey, 1", "light, 0"})
    void theFirstAdaptersNamesAreRead(String name, int each) {
        Map<String, Tensor> renamed = new LinkedHashMap<>();
        Path path = folder.resolve(name + ".safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsFile file = tensors(name);
            for (String stored : file.names()) {
                renamed.put(each == 0 ? nested(stored) : flat(stored, each), file.load(stored));
            }
            SafetensorsWriter.write(path, renamed);
        }
        assertThat(renamed).containsKey(each == 0 ? "body.1.body.3.block2.bias" : "body.0.block1.weight");
        T2IAdapterFile file = T2IAdapterFile.of(SafetensorsFile.open(path));
        requireFeaturesOf(name, file.tensors(), file.config());
    }

    private static String nested(String name) {
        return name.replace("adapter.", "").replace(".resnets.", ".body.");
    }

    private static String flat(String name, int each) {
        String[] parts = name.split("\\.");
        if (!parts[1].equals("body")) {
            return name.replace("adapter.", "");
        }
        int level = Integer.parseInt(parts[2]);
        return parts[3].equals("resnets")
                ? "body." + (each * level + Integer.parseInt(parts[4])) + "." + parts[5] + "." + parts[6]
                : "body." + each * level + "." + parts[3] + "." + parts[4];
    }

    @Test
    void anAdapterOfAnotherFamilyIsRefused() {
        UNetConfig sd1 = UNetConfig.of(Config.read(Fixtures.path("tiny-sd1/unet/config.json")));
        UNetConfig sdxl = UNetConfig.of(Config.read(Fixtures.path("tiny-sdxl/unet/config.json")));
        T2IAdapterConfig.of(config("full")).requireFit(sd1, "full");
        T2IAdapterConfig.of(config("xl")).requireFit(sdxl, "xl");
        assertThatThrownBy(() -> T2IAdapterConfig.of(config("xl")).requireFit(sd1, "xl"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("every 16 pixels")
                .hasMessageContaining("Stable Diffusion 1.x");
        assertThatThrownBy(() -> T2IAdapterConfig.of(config("full")).requireFit(sdxl, "full"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("SDXL");
    }

    @Test
    void settingsThatAreNotComputedAreRefused() {
        for (Config other : List.of(
                config("full").with("adapter_type", "style_adapter"),
                config("full").with("in_channels", 2),
                config("full").with("channels", List.of()),
                config("xl").with("channels", List.of(16, 16, 24, 32)),
                config("full").with("attention", true))) {
            assertThatThrownBy(() -> T2IAdapterConfig.of(other)).isInstanceOf(TomeException.class);
        }
        assertThatThrownBy(() -> T2IAdapterFile.of(
                        SafetensorsFile.open(Fixtures.path("controlnet/sd1/diffusion_pytorch_model.safetensors"))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no T2I-Adapter");
    }
}
