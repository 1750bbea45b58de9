package io.tome4j.models.upscale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.models.singlefile.UpscalerFile;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** ESRGANs of {@code reference/parts/upscalers.py}. */
class RrdbNetTest {
    private static final SafetensorsFile EXPECTED =
            SafetensorsFile.open(Fixtures.path("upscalers/expected.safetensors"));

    @TempDir
    Path folder;

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    static Stream<JsonNode> cases() {
        return Fixtures.cases("upscalers/cases.json").stream();
    }

    private static RrdbNet net(String name) {
        return UpscalerFile.of(Fixtures.path("upscalers/" + name + ".safetensors"))
                .load(Placement.CPU_FP32);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void givesWhatTheReferenceGivesWhateverTheNamesOfItsTensors(JsonNode c) {
        String name = c.get("name").textValue();
        try (RrdbNet net = net(name);
                var scope = TensorScope.open()) {
            assertThat(net.scale()).isEqualTo(c.get("scale").intValue());
            Tensor enlarged = net.enlarge(EXPECTED.load(name + ".image"));
            assertThat(Tensors.shape(enlarged)).isEqualTo(EXPECTED.shape(name + ".enlarged"));
            assertThat(Fixtures.maxDifference(enlarged, EXPECTED.load(name + ".enlarged")))
                    .isLessThan(1e-4);
        }
    }

    @Test
    void aLargeImageIsEnlargedTileByTileWithHardlyASeam() {
        try (RrdbNet net = net("real-2x");
                var scope = TensorScope.open()) {
            Tensor image = torch.upsample_nearest2d(EXPECTED.load("real-2x.image"), RrdbNet.TILE + 37L, 40);
            Tensor tiled = net.enlarge(image);
            assertThat(Tensors.shape(tiled)).containsExactly(1, 3, 2 * (RrdbNet.TILE + 37L), 80);
            Tensor above = net.enlarge(Tensors.slice(image, 2, 0, RrdbNet.TILE));
            Tensor same = Tensors.slice(tiled, 2, 0, 2 * 60L);
            assertThat(Fixtures.maxDifference(same, Tensors.slice(above, 2, 0, 2 * 60L)))
                    .isLessThan(0.02);
        }
    }

    @Test
    void enlargingLeavesNothingBehind() {
        try (var scope = TensorScope.open()) {
            Tensor image = EXPECTED.load("real-2x.image");
            long before = TensorScope.liveObjects();
            try (RrdbNet net = net("real-2x");
                    var inner = TensorScope.open()) {
                net.enlarge(image);
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }

    @Test
    void anImageOfOnePixelIsEnlargedToo() {
        try (RrdbNet net = net("real-1x");
                var scope = TensorScope.open()) {
            assertThat(Tensors.shape(net.enlarge(torch.ones(1, 3, 1, 1)))).containsExactly(1, 3, 1, 1);
        }
    }

    private Path changed(String name, BiConsumer<Map<String, Tensor>, SafetensorsFile> change) {
        SafetensorsFile file = SafetensorsFile.open(Fixtures.path("upscalers/" + name + ".safetensors"));
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            file.names().forEach(each -> tensors.put(each, file.load(each)));
            change.accept(tensors, file);
            Path changed = folder.resolve("changed.safetensors");
            SafetensorsWriter.write(changed, tensors);
            return changed;
        }
    }

    @Test
    void whatIsNoEsrganIsRefusedAndSaidWhatItIs() throws IOException {
        assertThatThrownBy(() -> UpscalerFile.of(Fixtures.path("tiny-taesd/diffusion_pytorch_model.safetensors")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("TAESD")
                .hasMessageContaining("no ESRGAN");
        Path pickle = folder.resolve("4x.pth");
        Files.write(pickle, new byte[] {(byte) 0x80, 2, '}', 'q', 0});
        assertThatThrownBy(() -> UpscalerFile.of(pickle))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("pickle");
    }

    @Test
    void aDamagedOneSaysWhatIsAmiss() {
        Path incomplete = changed("first-4x", (tensors, file) -> tensors.remove("model.6.weight"));
        assertThatThrownBy(() ->
                        UpscalerFile.of(incomplete).load(Placement.CPU_FP32).close())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("conv_up2.bias");
        Path more = changed(
                "real-4x", (tensors, file) -> tensors.put("body.0.rdb1.conv1x1.weight", file.load("conv_last.bias")));
        assertThatThrownBy(() -> UpscalerFile.of(more).load(Placement.CPU_FP32).close())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("conv1x1");
        Path grey = changed(
                "real-4x",
                (tensors, file) -> tensors.put(
                        "conv_first.weight",
                        Tensors.slice(file.load("conv_first.weight"), 1, 0, 1).contiguous()));
        assertThatThrownBy(() -> UpscalerFile.of(grey))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("1 channels");
    }
}
