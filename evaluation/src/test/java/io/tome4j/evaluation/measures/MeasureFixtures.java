package io.tome4j.evaluation.measures;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** What {@code reference/measures.py} made. */
final class MeasureFixtures {
    private MeasureFixtures() {}

    static Path path(String name) {
        return Path.of(System.getProperty("tome4j.fixtures"), "measures").resolve(name);
    }

    static BufferedImage image(String name) {
        try {
            return ImageIO.read(path(name + ".png").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode cases(String pointer) {
        try {
            return new ObjectMapper().readTree(path("cases.json").toFile()).at(pointer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static SafetensorsFile tensors() {
        return SafetensorsFile.open(path("tensors.safetensors"));
    }
}
