package io.tome4j.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.TomeException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;

/** LangChain4j's images, as what a run begins with: base64, {@code data:} or {@code file:}; nothing is fetched. */
final class SourceImages {
    private static final String BASE64 = ";base64,";

    private SourceImages() {}

    /** @throws InvalidRequestException if it has no data that can be read */
    static SourceImage image(Image image) {
        try {
            Optional<Path> file = file(image);
            return file.isPresent()
                    ? SourceImage.read(file.get())
                    : SourceImage.of(ImageFiles.read(bytes(image, "image"), "The image"));
        } catch (TomeException | IllegalArgumentException e) {
            throw new InvalidRequestException("The image to edit: " + e.getMessage(), e);
        }
    }

    /**
     * A mask: what is transparent is repainted, or, where nothing is, what is white.
     *
     * @throws InvalidRequestException if it has no data that can be read
     */
    static SourceImage mask(Image mask) {
        try {
            Optional<Path> file = file(mask);
            Pixels pixels = file.isPresent()
                    ? ImageFiles.readMask(file.get())
                    : ImageFiles.readMask(bytes(mask, "mask"), "The mask");
            return SourceImage.of(pixels);
        } catch (TomeException | IllegalArgumentException e) {
            throw new InvalidRequestException("The mask: " + e.getMessage(), e);
        }
    }

    private static Optional<Path> file(Image image) {
        URI url = image.url();
        return image.base64Data() == null && url != null && "file".equals(url.getScheme())
                ? Optional.of(Path.of(url))
                : Optional.empty();
    }

    private static byte[] bytes(Image image, String what) {
        String base64 = image.base64Data();
        URI url = image.url();
        if (base64 == null && url != null && "data".equals(url.getScheme())) {
            String data = url.getRawSchemeSpecificPart();
            int comma = data.indexOf(BASE64);
            if (comma < 0) {
                throw new IllegalArgumentException("its data: URL is not in base64");
            }
            base64 = data.substring(comma + BASE64.length());
        }
        if (base64 == null) {
            throw new IllegalArgumentException("the " + what
                    + " has neither base64 data nor a data: or file: URL; nothing is fetched from elsewhere");
        }
        try {
            return Base64.getDecoder().decode(base64.replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("it is not in base64: " + e.getMessage(), e);
        }
    }
}
