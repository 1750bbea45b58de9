package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() {
        Path file = folder.resolve("latents.safetensors");
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (SafetensorsDType dtype : SafetensorsDType.values()) {
                tensors.put(
                        dtype.name(),
                        Tensors.of(new float[] {0, 1, 1, 0, 1, 0}, 2, 3).to(dtype.scalarType()));
            }
            tensors.put(
                    "transposed",
                    Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).t());
            tensors.put("scalar", Tensors.of(new long[] {5}));
            tensors.put("empty", torch.zeros(0, 4));
            SafetensorsWriter.write(file, tensors, Map.of("seed", "42"));

            SafetensorsFile read = SafetensorsFile.open(file);
            assertThat(read.names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
            assertThat(read.metadata()).containsExactly(Map.entry("seed", "42"));
            tensors.forEach((name, tensor) -> {
                Tensor loaded = read.load(name);
                assertThat(Tensors.dtype(loaded)).isEqualTo(Tensors.dtype(tensor));
                assertThat(Tensors.shape(loaded)).isEqualTo(Tensors.shape(tensor));
                assertThat(torch.equal(loaded, tensor)).isTrue();
                assertThat(read.entry(name).position()
                                % read.entry(name).dtype().bytes())
                        .isZero();
            });
        }
    }

    @Test
    void failureLeavesTheOldFileAndNothingElse() throws IOException {
        Path file = folder.resolve("latents.safetensors");
        RawSafetensors.one(file, "old", 1);
        try (var scope = TensorScope.open()) {
            Tensor unsupported = torch.zeros(1).to(ScalarType.ComplexFloat);
            assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of("c", unsupported)))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("The tensor 'c' cannot be written");
        }
        assertThat(SafetensorsFile.open(file).names()).containsExactly("old");
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void missingFolderIsNamed() {
        Path file = folder.resolve("nowhere").resolve("latents.safetensors");
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("cannot be written to " + file + ": the folder " + file.getParent());
    }
}
