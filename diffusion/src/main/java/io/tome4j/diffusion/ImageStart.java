package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Begins with an image, of which all or a part is painted anew. Immutable. */
public final class ImageStart implements Start {
    private final SourceImage image;
    private final Optional<SourceImage> mask;
    private final OptionalDouble strength;

    private ImageStart(SourceImage image, Optional<SourceImage> mask, OptionalDouble strength) {
        this.image = image;
        this.mask = mask;
        this.strength = strength;
    }

    static ImageStart of(SourceImage image) {
        return new ImageStart(image, Optional.empty(), OptionalDouble.empty());
    }

    ImageStart withStrength(double value) {
        return new ImageStart(image, mask, OptionalDouble.of(value));
    }

    /**
     * The same, repainting a part only.
     *
     * @param newMask of the image's size; white is repainted, black stays
     * @throws OptionException if it is of another size
     */
    public ImageStart repainting(SourceImage newMask) {
        if (newMask.pixels().width() != image.pixels().width()
                || newMask.pixels().height() != image.pixels().height()) {
            throw new OptionException("{mask} has " + newMask.pixels().width() + " x "
                    + newMask.pixels().height() + " pixels, and the image "
                    + image.pixels().width() + " x " + image.pixels().height() + ": they must be of the same size");
        }
        return new ImageStart(image, Optional.of(newMask), strength);
    }

    /** What it begins with. */
    public SourceImage image() {
        return image;
    }

    /** What is repainted; empty for all. */
    public Optional<SourceImage> mask() {
        return mask;
    }

    @Override
    public PreparedStart prepare(Request request, TokenGrid grid) {
        return PreparedImage.of(this, request, grid);
    }

    @Override
    public Optional<TokenGrid> ownGrid(Request request) {
        Extension extension = Extension.of(request);
        int width = (image.pixels().width() + extension.left() + extension.right()) / Request.PIXELS_PER_LATENT;
        int height = (image.pixels().height() + extension.top() + extension.bottom()) / Request.PIXELS_PER_LATENT;
        if ((width == 0 && request.width() == 0) || (height == 0 && request.height() == 0)) {
            throw new OptionException("The initial image has " + image.pixels().width() + " x "
                    + image.pixels().height() + " pixels: that is less than a latent, which has 8 x 8; say {width} and"
                    + " {height}, or take a larger image");
        }
        return Optional.of(new TokenGrid(Math.max(1, height), Math.max(1, width)));
    }

    @Override
    public boolean beginsWithImage() {
        return true;
    }

    @Override
    public Request in(Request request) {
        return strength.isPresent() ? request.strength(strength.getAsDouble()) : request;
    }

    @Override
    public Sources sources() {
        Sources sources = Sources.NONE.with(Sources.Role.IMAGE, Sources.Source.of(image));
        return mask.map(source -> sources.with(Sources.Role.MASK, Sources.Source.of(source)))
                .orElse(sources);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ImageStart start && start.image.equals(image) && start.mask.equals(mask);
    }

    @Override
    public int hashCode() {
        return Objects.hash(image, mask);
    }

    @Override
    public String toString() {
        return "ImageStart " + image
                + mask.map(source -> " masked by " + source).orElse("");
    }
}
