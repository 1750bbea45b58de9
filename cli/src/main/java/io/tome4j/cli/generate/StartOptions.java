package io.tome4j.cli.generate;

import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Start;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.Optional;

/** What denoising begins with. */
final class StartOptions {
    @picocli.CommandLine.Option(
            names = "--init-image",
            paramLabel = "FILE",
            description = "Begin with this image (PNG, JPEG or WebP); without --width and --height its size counts.")
    Optional<Path> image = Optional.empty();

    @picocli.CommandLine.Option(
            names = "--mask",
            paramLabel = "FILE",
            description = "Paint only what is white in this image, which has the initial image's size.")
    Optional<Path> mask = Optional.empty();

    @picocli.CommandLine.Option(
            names = "--protect",
            paramLabel = "FILE",
            description =
                    "Do not merge tokens where this image is white; it has the size of the image that is made, or of the"
                            + " initial one.")
    Optional<Path> protect = Optional.empty();

    /**
     * A request that begins so.
     *
     * @throws OptionException if an option has no effect without an initial image, or the images do not go together
     * @throws io.tome4j.tensor.TomeException if one cannot be read
     */
    Request applyTo(Request request) {
        Request started = started(request);
        return protect.map(file -> started.protect(SourceImage.read(file))).orElse(started);
    }

    private Request started(Request request) {
        if (request.hires() == 1) {
            for (Option<?> option : Request.OF_SECOND_PASS) {
                if (!request.isUsual(option)) {
                    throw new OptionException("{" + option.name() + "} needs {hires}: there is no second pass");
                }
            }
        }
        if (image.isEmpty() && request.start() instanceof ImageStart like) { // an image that is made again
            Request from = request.start(
                    mask.map(file -> like.repainting(SourceImage.read(file))).orElse(like));
            from.requireStrength();
            return from;
        }
        if (image.isEmpty()) {
            if (mask.isPresent()) {
                throw new OptionException("{mask} is given without {init_image}, the image that it is for");
            }
            for (Option<?> option : Request.OF_INITIAL_IMAGE) {
                if (!request.isUsual(option)) {
                    throw new OptionException("{" + option.name() + "} needs {init_image}, the image to begin with");
                }
            }
            return request;
        }
        requireEffect(request, Request.MASK_BLUR);
        requireEffect(request, Request.PADDING_MASK_CROP);
        requireEffect(request, Request.PASTE_BACK);
        requireEffect(request, Request.PROTECT_REPAINTED);
        ImageStart start = Start.from(SourceImage.read(image.get()));
        Request from = request.start(
                mask.map(file -> start.repainting(SourceImage.read(file))).orElse(start));
        from.requireStrength();
        return from;
    }

    private void requireEffect(Request request, Option<?> option) {
        if (mask.isEmpty() && request.extend().isEmpty() && !request.isUsual(option)) {
            throw new OptionException(
                    "{" + option.name() + "} needs {mask} or {extend}: all of the image is made anew");
        }
    }
}
