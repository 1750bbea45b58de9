package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A ControlNet (arXiv 2302.05543) that steers a request's images, with the image it goes by. Immutable.
 *
 * <pre>{@code
 * Request.of("a house").controls(Control.of("lllyasviel/sd-controlnet-canny", Path.of("edges.png")).scale(0.8))
 * }</pre>
 *
 * One that an image's parameters name has no image: {@link #withImage} gives it one.
 */
public final class Control {
    private static final Option<Double> SCALE = Option.of("control_scale", 1.0)
            .allowing(scale -> Double.isFinite(scale), "it must be a number; 1 is as it was trained");
    private static final Option<Double> START =
            Option.of("control_start", 0.0).allowing(Control::isShare, "it is a share of the steps, from 0 to 1");
    private static final Option<Double> END =
            Option.of("control_end", 1.0).allowing(Control::isShare, "it is a share of the steps, from 0 to 1");

    private static final Pattern WRITTEN = Pattern.compile(
            "Module: (none|canny), Model: (.+), Weight: (\\S+),(?: Threshold A: (\\d+), Threshold B: (\\d+),)?"
                    + " Guidance Start: (\\S+), Guidance End: (\\S+), Image: (.*) \\[(\\w*)]");

    private final String model;
    private final Optional<Path> file;
    private final GuideImage image;
    private final double scale;
    private final double start;
    private final double end;
    private final Optional<Canny> canny;

    private Control(
            String model,
            Optional<Path> file,
            GuideImage image,
            double scale,
            double start,
            double end,
            Optional<Canny> canny) {
        this.model = model;
        this.file = file;
        this.image = image;
        this.scale = SCALE.require(scale);
        this.start = START.require(start);
        this.end = END.require(end);
        this.canny = canny;
        if (!(start < end)) {
            throw new OptionException(
                    "{control_start} is " + start + " and {control_end} is " + end + ": control begins before it ends");
        }
    }

    private static boolean isShare(double value) {
        return value >= 0 && value <= 1;
    }

    /**
     * A net with an image of any size; it is brought to the request's.
     *
     * @param model a folder that diffusers saved, a safetensors file, or a model's id on the hub
     */
    public static Control of(String model, Pixels image) {
        return new Control(model, Optional.empty(), GuideImage.of(image), 1, 0, 1, Optional.empty());
    }

    /**
     * As {@link #of(String, Pixels)}, with the image in a file.
     *
     * @throws io.tome4j.tensor.TomeException if it cannot be read
     */
    public static Control of(String model, Path image) {
        return new Control(model, Optional.empty(), GuideImage.read(image), 1, 0, 1, Optional.empty());
    }

    /** What the net is called: where it is to be had, unless it is elsewhere. */
    public String model() {
        return model;
    }

    /** The same, with the net's file or folder at a place that an image's parameters are not to tell. */
    public Control in(Path place) {
        return new Control(model, Optional.of(place), image, scale, start, end, canny);
    }

    /** Where the net is to be had. */
    String place() {
        return file.map(Path::toString).orElse(model);
    }

    /** The control image; empty for one that was read from an image's parameters. */
    public Optional<Pixels> image() {
        return image.pixels();
    }

    /** The same with another image. */
    public Control withImage(Pixels value) {
        return new Control(model, file, image.with(value), scale, start, end, canny);
    }

    /**
     * The same with the image that an image's parameters name.
     *
     * @param folder where its file lies
     * @throws io.tome4j.tensor.TomeException if it has no name, is not there, or is not what it was; it is named
     */
    Control from(Path folder) {
        GuideImage read = image.from(folder, "control image of the ControlNet '" + model + "'");
        return new Control(model, file, read, scale, start, end, canny);
    }

    /** As an image's parameters keep it: without the image, and with the beginning of its hash. */
    Control withoutImage() {
        return new Control(model, Optional.empty(), image.withoutPixels(), scale, start, end, canny);
    }

    /** The image's file name; may be empty. */
    public String imageName() {
        return image.name();
    }

    /** The image's SHA-256, as {@link Pixels#sha256} gives it, or its beginning. */
    public String imageHash() {
        return image.hash();
    }

    /** What the net's residuals are multiplied by. */
    public double scale() {
        return scale;
    }

    public Control scale(double value) {
        return new Control(model, file, image, value, start, end, canny);
    }

    /** Where it begins, as a share of the steps that run. */
    public double start() {
        return start;
    }

    /** Where it ends, likewise. */
    public double end() {
        return end;
    }

    /**
     * The same in a part of the steps alone.
     *
     * @param from in [0, 1]
     * @param to likewise; above {@code from}
     */
    public Control between(double from, double to) {
        return new Control(model, file, image, scale, from, to, canny);
    }

    /** How edges are found in the image, which then is a photograph; empty where it is a finished map. */
    public Optional<Canny> canny() {
        return canny;
    }

    /** The same by the edges of the image, found in the size that it has. */
    public Control canny(Canny value) {
        return new Control(model, file, image, scale, start, end, Optional.of(value));
    }

    /** Whether it has an effect in a step, as diffusers decides it. */
    boolean isOn(int step, int steps) {
        return !((double) step / steps < start || (double) (step + 1) / steps > end);
    }

    /** As the web UI writes it among an image's parameters, with what it does not know behind. */
    String toText() {
        String thresholds = canny.map(edges -> " Threshold A: " + edges.low() + ", Threshold B: " + edges.high() + ",")
                .orElse("");
        return "Module: " + (canny.isPresent() ? "canny" : "none") + ", Model: " + model + ", Weight: "
                + SCALE.format(scale) + "," + thresholds + " Guidance Start: " + START.format(start)
                + ", Guidance End: " + END.format(end) + ", Image: " + image.toText();
    }

    /** Reads what {@link #toText} wrote; empty for what others wrote, whose images are not known. */
    static Optional<Control> parse(String text) {
        Matcher matcher = WRITTEN.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        Control control = new Control(
                matcher.group(2),
                Optional.empty(),
                GuideImage.named(matcher.group(8), matcher.group(9)),
                SCALE.parse(matcher.group(3)),
                START.parse(matcher.group(6)),
                END.parse(matcher.group(7)),
                Optional.empty());
        return matcher.group(1).equals("canny") && matcher.group(4) != null
                ? Optional.of(control.canny(new Canny(threshold(matcher.group(4)), threshold(matcher.group(5)))))
                : Optional.of(control);
    }

    private static int threshold(String digits) {
        return digits.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    }

    /** The map to go by. @throws OptionException if there is no image */
    Pixels requireMap() {
        Pixels given = requireImage();
        return canny.map(edges -> edges.of(given)).orElse(given);
    }

    /** The image. @throws OptionException if there is none */
    Pixels requireImage() {
        return image.require("control_image", "the ControlNet '" + model + "'");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Control control
                && control.model.equals(model)
                && control.file.equals(file)
                && control.image.equals(image)
                && control.scale == scale
                && control.start == start
                && control.end == end
                && control.canny.equals(canny);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, file, image, scale, start, end, canny);
    }

    @Override
    public String toString() {
        return toText();
    }
}
