package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.Option;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A T2I-Adapter (arXiv 2302.08453) that steers a request's images, with the image it goes by. Immutable.
 *
 * <pre>{@code
 * Request.of("a house").t2iAdapters(T2IAdapter.of("TencentARC/t2iadapter_depth_sd15v2", Path.of("depth.png")).scale(0.8))
 * }</pre>
 *
 * One that an image's parameters name has no image: {@link #withImage} gives it one.
 */
public final class T2IAdapter {
    private static final Option<Double> SCALE = Option.of("t2i_scale", 1.0)
            .allowing(scale -> Double.isFinite(scale), "it must be a number; 1 is as it was trained");
    private static final Option<Double> FACTOR = Option.of("t2i_factor", 1.0)
            .allowing(factor -> factor >= 0 && factor <= 1, "it is a share of the steps, from 0 to 1");

    private static final Pattern WRITTEN =
            Pattern.compile("Model: (.+), Weight: (\\S+), Factor: (\\S+), Image: (.*) \\[(\\w*)]");

    private final String model;
    private final GuideImage image;
    private final double scale;
    private final double factor;

    private T2IAdapter(String model, GuideImage image, double scale, double factor) {
        this.model = model;
        this.image = image;
        this.scale = SCALE.require(scale);
        this.factor = FACTOR.require(factor);
    }

    /**
     * An adapter with an image of any size; it is brought to the request's.
     *
     * @param model a folder that diffusers saved, a safetensors file, or a model's id on the hub
     * @param image for an adapter of grey maps it must be grey
     */
    public static T2IAdapter of(String model, Pixels image) {
        return new T2IAdapter(model, GuideImage.of(image), 1, 1);
    }

    /**
     * As {@link #of(String, Pixels)}, with the image in a file.
     *
     * @throws io.tome4j.tensor.TomeException if it cannot be read
     */
    public static T2IAdapter of(String model, Path image) {
        return new T2IAdapter(model, GuideImage.read(image), 1, 1);
    }

    /** Where the adapter is to be had. */
    public String model() {
        return model;
    }

    /** The image that it goes by; empty for one that was read from an image's parameters. */
    public Optional<Pixels> image() {
        return image.pixels();
    }

    /** The same with another image. */
    public T2IAdapter withImage(Pixels value) {
        return new T2IAdapter(model, image.with(value), scale, factor);
    }

    /** The same with the image that an image's parameters name, from a folder. */
    T2IAdapter from(Path folder) {
        return new T2IAdapter(model, image.from(folder, "image of the " + title()), scale, factor);
    }

    /** As an image's parameters keep it. */
    T2IAdapter withoutImage() {
        return new T2IAdapter(model, image.withoutPixels(), scale, factor);
    }

    /** The image's file name; may be empty. */
    public String imageName() {
        return image.name();
    }

    /** The image's SHA-256, as {@link Pixels#sha256} gives it, or its beginning. */
    public String imageHash() {
        return image.hash();
    }

    /** What its features are multiplied by: diffusers' {@code adapter_conditioning_scale}. */
    public double scale() {
        return scale;
    }

    public T2IAdapter scale(double value) {
        return new T2IAdapter(model, image, value, factor);
    }

    /** In which share of the steps, from the first, they are added: diffusers' {@code adapter_conditioning_factor}. */
    public double factor() {
        return factor;
    }

    /**
     * The same in a part of the steps alone.
     *
     * @param value in [0, 1]
     */
    public T2IAdapter factor(double value) {
        return new T2IAdapter(model, image, scale, value);
    }

    /** The image. @throws OptionException if there is none */
    Pixels requireImage() {
        return image.require("t2i_image", "the " + title());
    }

    private String title() {
        return "T2I-Adapter '" + model + "'";
    }

    /** As it stands among an image's parameters. */
    String toText() {
        return "Model: " + model + ", Weight: " + SCALE.format(scale) + ", Factor: " + FACTOR.format(factor)
                + ", Image: " + image.toText();
    }

    /** Reads what {@link #toText} wrote; empty for anything else. */
    static Optional<T2IAdapter> parse(String text) {
        Matcher matcher = WRITTEN.matcher(text);
        return matcher.matches()
                ? Optional.of(new T2IAdapter(
                        matcher.group(1),
                        GuideImage.named(matcher.group(4), matcher.group(5)),
                        SCALE.parse(matcher.group(2)),
                        FACTOR.parse(matcher.group(3))))
                : Optional.empty();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof T2IAdapter adapter
                && adapter.model.equals(model)
                && adapter.image.equals(image)
                && adapter.scale == scale
                && adapter.factor == factor;
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, image, scale, factor);
    }

    @Override
    public String toString() {
        return toText();
    }
}
