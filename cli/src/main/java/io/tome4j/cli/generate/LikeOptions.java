package io.tome4j.cli.generate;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** An image to make again. */
final class LikeOptions {
    @Option(
            names = "--like",
            paramLabel = "FILE",
            description =
                    "Make this image again, by the parameters in it (PNG, JPEG or WebP) and the images that it was made"
                            + " of; all that is given besides, also a prompt, changes them. A model other than the embedded one is to be"
                            + " named.")
    Optional<Path> like = Optional.empty();

    @Option(
            names = "--sources",
            paramLabel = "FOLDER",
            description =
                    "Where the images lie that --like was made of: its initial image, masks, control images (default: its"
                            + " own folder).")
    Optional<Path> sources = Optional.empty();

    /**
     * The request of the image; empty where none is to be made again.
     *
     * @throws OptionException if it was made by another model than the chosen one, which is the embedded one, or with latents
     *     that it does not hold
     * @throws io.tome4j.tensor.TomeException if it cannot be read, carries no parameters, or an image that it was made of is
     *     missing or has changed
     */
    Optional<Request> request(ChosenModel model) {
        if (like.isEmpty()) {
            if (sources.isPresent()) {
                throw new OptionException("{sources} is where the images of {like} lie, and {like} is not given");
            }
            return Optional.empty();
        }
        Path file = like.get();
        GenerationParameters parameters = GenerationParameters.read(file);
        boolean isAnothers = model.embedded().isPresent()
                && !parameters.model().isEmpty()
                && !parameters.model().equals(model.name());
        if (isAnothers) {
            throw new OptionException("{like} was made by the model '" + OptionException.literal(parameters.model())
                    + "': say with {model} where it is");
        }
        if (parameters.initialLatents()) {
            throw new OptionException(
                    "{like} was made of given latents, which it does not hold: it cannot be made again");
        }
        Path folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(Path.of(""));
        return Optional.of(parameters.repeated(sources.orElse(folder)));
    }
}
