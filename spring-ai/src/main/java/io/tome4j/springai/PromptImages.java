package io.tome4j.springai;

import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Start;
import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.ImageMessage;

/** A prompt's media: an image to begin with, and a mask, which is the one of that name. Nothing is fetched. */
final class PromptImages {
    /** The name of a medium that is a mask. */
    static final String MASK = "mask";

    private static final String BASE64 = ";base64,";

    private PromptImages() {}

    /**
     * What a run begins with; empty where no message has media.
     *
     * @throws IllegalArgumentException if there are more than an image and a mask, a mask alone, or what cannot be read
     */
    static Optional<Start> start(List<ImageMessage> messages) {
        List<Media> images = new ArrayList<>();
        List<Media> masks = new ArrayList<>();
        for (ImageMessage message : messages) {
            for (Media each : message.getMedia()) {
                (MASK.equals(each.getName()) ? masks : images).add(each);
            }
        }
        if (images.isEmpty() && masks.isEmpty()) {
            return Optional.empty();
        }
        if (images.size() != 1 || masks.size() > 1) {
            throw new IllegalArgumentException("The prompt's media are " + images.size() + " images and " + masks.size()
                    + " masks: there may be one image to begin with, and one mask, a medium named '" + MASK + "'");
        }
        try {
            ImageStart start = Start.from(SourceImage.of(ImageFiles.read(bytes(images.get(0)), "The prompt's image")));
            return Optional.of(
                    masks.isEmpty()
                            ? start
                            : start.repainting(
                                    SourceImage.of(ImageFiles.readMask(bytes(masks.get(0)), "The prompt's mask"))));
        } catch (TomeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static byte[] bytes(Media medium) {
        Object data = medium.getData();
        if (data instanceof byte[] bytes) {
            return bytes;
        }
        String url = String.valueOf(data);
        int comma = url.startsWith("data:") ? url.indexOf(BASE64) : -1;
        if (comma < 0) {
            throw new IllegalArgumentException("The medium " + medium.getName()
                    + " is an address: nothing is fetched; give a Resource, bytes, or a data: URL in base64");
        }
        try {
            return Base64.getDecoder().decode(url.substring(comma + BASE64.length()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "The medium " + medium.getName() + " is not in base64: " + e.getMessage(), e);
        }
    }
}
