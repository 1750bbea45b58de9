package io.tome4j.diffusion;

import java.awt.image.BufferedImage;
import java.nio.file.Path;

final class PngFiles {
    private PngFiles() {}

    static void write(BufferedImage image, String parameters, Path file) {
        if (file.isAbsolute() || !parameters.isEmpty()) throw new UnsupportedOperationException("to be written");
    }
}
