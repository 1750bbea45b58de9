package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An IP-Adapter (arXiv 2308.06721), with images that are a prompt beside the text. Immutable.
 *
 * <pre>{@code
 * Request.of("a cat").ipAdapters(IPAdapter.of("models/ip-adapter_sd15.safetensors", Path.of("style.png")).scale(0.6))
 * }</pre>
 *
 * One that an image's parameters name has no images: {@link #withImages} gives it some.
 */
public final class IPAdapter {
    private static final Option<Double> SCALE = Option.of("ip_adapter_scale", 1.0)
            .allowing(scale -> Double.isFinite(scale), "it must be a number; 1 is as the text, 0.6 is usual");

    private static final Pattern WRITTEN =
            Pattern.compile("Model: (.+?),(?: Encoder: (.+?),)? Weight: (\\S+)((?:, Image: .*? \\[\\w*])+)");
    private static final Pattern IMAGE = Pattern.compile(", Image: (.*?) \\[(\\w*)]");

    private final String model;
    private final String encoder;
    private final List<GuideImage> images;
    private final double scale;

    private IPAdapter(String model, String encoder, List<GuideImage> images, double scale) {
        this.model = model;
        this.encoder = encoder;
        this.images = List.copyOf(images);
        this.scale = SCALE.require(scale);
        if (images.isEmpty()) {
            throw new OptionException(
                    "{ip_adapter_image} is missing for the IP-Adapter '" + OptionException.literal(model) + "'");
        }
    }

    /**
     * An adapter with images of any size, the middle squares of which it sees.
     *
     * @param model a safetensors file; the image encoder is looked for in a folder {@code image_encoder} beside it
     * @param images at least one
     */
    public static IPAdapter of(String model, Pixels... images) {
        return new IPAdapter(
                model, "", Arrays.stream(images).map(GuideImage::of).toList(), 1);
    }

    /**
     * As {@link #of(String, Pixels...)}, with the images in files.
     *
     * @throws io.tome4j.tensor.TomeException if one cannot be read
     */
    public static IPAdapter of(String model, Path... images) {
        return new IPAdapter(
                model, "", Arrays.stream(images).map(GuideImage::read).toList(), 1);
    }

    /** The adapter's file. */
    public String model() {
        return model;
    }

    /** The folder of the image encoder; empty for the one beside the adapter's file. */
    public String encoder() {
        return encoder;
    }

    /** The same with an image encoder from another folder, as transformers saves it, or the hub. */
    public IPAdapter encoder(String folder) {
        return new IPAdapter(model, folder, images, scale);
    }

    /** The images; empty for an adapter that was read from an image's parameters. */
    public List<Pixels> images() {
        return images.stream().flatMap(image -> image.pixels().stream()).toList();
    }

    /** The same with other images, which keep the names. */
    public IPAdapter withImages(Pixels... values) {
        List<GuideImage> all = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            all.add(i < images.size() ? images.get(i).with(values[i]) : GuideImage.of(values[i]));
        }
        return new IPAdapter(model, encoder, all, scale);
    }

    /** The same with the images that an image's parameters name, from a folder. */
    IPAdapter from(Path folder) {
        List<GuideImage> read = images.stream()
                .map(image -> image.from(folder, "image of the " + title()))
                .toList();
        return new IPAdapter(model, encoder, read, scale);
    }

    /** As an image's parameters keep it. */
    IPAdapter withoutImages() {
        return new IPAdapter(
                model, encoder, images.stream().map(GuideImage::withoutPixels).toList(), scale);
    }

    /** The images' file names; those that came from no file have empty ones. */
    public List<String> imageNames() {
        return images.stream().map(GuideImage::name).toList();
    }

    /** The images' SHA-256, as {@link Pixels#sha256} gives it, or its beginning. */
    public List<String> imageHashes() {
        return images.stream().map(GuideImage::hash).toList();
    }

    /** How strongly the images count: 1 is as the text. */
    public double scale() {
        return scale;
    }

    public IPAdapter scale(double value) {
        return new IPAdapter(model, encoder, images, value);
    }

    /** The images. @throws OptionException if one is missing */
    List<Pixels> requireImages() {
        return images.stream()
                .map(image -> image.require("ip_adapter_image", "the " + title()))
                .toList();
    }

    private String title() {
        return "IP-Adapter '" + model + "'";
    }

    /** As it stands among an image's parameters. */
    String toText() {
        StringBuilder text = new StringBuilder("Model: ").append(model);
        if (!encoder.isEmpty()) {
            text.append(", Encoder: ").append(encoder);
        }
        text.append(", Weight: ").append(SCALE.format(scale));
        images.forEach(image -> text.append(", Image: ").append(image.toText()));
        return text.toString();
    }

    /** Reads what {@link #toText} wrote; empty for anything else. */
    static Optional<IPAdapter> parse(String text) {
        Matcher matcher = WRITTEN.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        List<GuideImage> images = new ArrayList<>();
        Matcher image = IMAGE.matcher(matcher.group(4));
        while (image.find()) {
            images.add(GuideImage.named(image.group(1), image.group(2)));
        }
        String encoder = Optional.ofNullable(matcher.group(2)).orElse("");
        return Optional.of(new IPAdapter(matcher.group(1), encoder, images, SCALE.parse(matcher.group(3))));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof IPAdapter adapter
                && adapter.model.equals(model)
                && adapter.encoder.equals(encoder)
                && adapter.images.equals(images)
                && adapter.scale == scale;
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, encoder, images, scale);
    }

    @Override
    public String toString() {
        return toText();
    }
}
