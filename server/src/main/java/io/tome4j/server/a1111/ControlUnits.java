package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.pixels.Box;
import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.diffusion.pixels.Fitting;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** The units of the web UI's extension for ControlNet: {@code alwayson_scripts.controlnet.args}. */
final class ControlUnits {
    /** The script's name, in any case. */
    static final String SCRIPT = "controlnet";

    /** What images may be brought to by modules, in pixels of their shorter side. */
    static final int USUAL_RESOLUTION = 512;

    static final int LARGEST_RESOLUTION = 2048;
    static final int LOW = 100; // Canny's thresholds, as the extension has them
    static final int HIGH = 200;
    private static final int MOST_UNITS = 10;
    private static final Pattern HASH = Pattern.compile("\\s*\\[[0-9a-fA-F]{4,64}]$"); // "name [hash]"

    /** What an image is brought to the request's shape by. */
    private enum Fit {
        STRETCH,
        CROP,
        FILL
    }

    private ControlUnits() {}

    /** The request with the units of a script that are on. */
    static Request apply(Fields script, Request request) {
        List<Control> controls = new ArrayList<>();
        for (Fields unit : script.objects("args")) {
            if (unit.flag("enabled").orElse(true)) {
                controls.add(control(unit, request));
            }
        }
        if (controls.size() > MOST_UNITS) {
            throw HttpError.field(
                    script.path("args"),
                    "There are " + controls.size() + " units of ControlNet; at most " + MOST_UNITS);
        }
        return controls.isEmpty() ? request : request.controls(controls);
    }

    private static Control control(Fields unit, Request request) {
        requireSupported(unit, request);
        String model = HASH.matcher(unit.text("model").orElse("").strip()).replaceFirst("");
        if (model.isEmpty() || model.equalsIgnoreCase("none")) {
            throw HttpError.field(
                    unit.path("model"), unit.path("model") + " is missing: /controlnet/model_list has them");
        }
        boolean edges = isCanny(unit.text("module").orElse("none"), unit.path("module"));
        Pixels image = fitted(unit, image(unit, request), request);
        if (edges) {
            image = unit.flag("pixel_perfect").orElse(false)
                    ? atSizeOf(request, image)
                    : detectable(image, unit.integer("processor_res").orElse(-1), unit.path("processor_res"));
        }
        Control control = Control.of(model, image)
                .scale(unit.number("weight").orElse(1.0))
                .between(
                        unit.number("guidance_start").orElse(0.0),
                        unit.number("guidance_end").orElse(1.0));
        return edges ? control.canny(canny(unit, "threshold_a", "threshold_b")) : control;
    }

    /**
     * Canny's thresholds; where they are left out or negative, the extension's own.
     *
     * @throws HttpError if the first is above the second
     */
    static Canny canny(Fields fields, String lowField, String highField) {
        int low = threshold(fields, lowField, LOW);
        int high = threshold(fields, highField, HIGH);
        if (low > high) {
            throw HttpError.field(
                    fields.path(lowField),
                    fields.path(lowField) + " is " + low + ", and " + highField + " is " + high + ": it is no less");
        }
        return new Canny(low, high);
    }

    private static int threshold(Fields fields, String field, int usual) {
        double value = fields.number(field).filter(number -> number >= 0).orElse((double) usual);
        return (int) Math.min(value, 1e6);
    }

    /** Whether a module finds edges; the other that there is leaves the image as it is. */
    static boolean isCanny(String module, String field) {
        return switch (module.strip().toLowerCase(Locale.ROOT)) {
            case "", "none" -> false;
            case "canny" -> true;
            default ->
                throw HttpError.field(
                        field, field + " can only be none or canny here: send the map that the ControlNet goes by");
        };
    }

    /**
     * An image as the extension brings it to a module: its shorter side of some pixels.
     *
     * @param resolution 0 or less for the usual one
     */
    static Pixels detectable(Pixels image, int resolution, String field) {
        int side = resolution <= 0 ? USUAL_RESOLUTION : resolution;
        if (side > LARGEST_RESOLUTION) {
            throw HttpError.field(field, field + " is " + side + ": it is at most " + LARGEST_RESOLUTION);
        }
        double factor = (double) side / Math.min(image.width(), image.height());
        if ((long) image.width() * image.height() * factor * factor > 4.0 * LARGEST_RESOLUTION * LARGEST_RESOLUTION) {
            throw HttpError.field(field, "The image is too long and narrow for " + field + " " + side);
        }
        return Resampling.LANCZOS.resize(image, Math.max(1, (int) Math.rint(image.width() * factor)), Math.max(1, (int)
                Math.rint(image.height() * factor)));
    }

    private static Pixels atSizeOf(Request request, Pixels image) {
        return request.width() == 0 || request.height() == 0
                ? image
                : Resampling.LANCZOS.resize(image, request.width(), request.height());
    }

    /** What was sent with it, or else what the request begins with. */
    private static Pixels image(Fields unit, Request request) {
        for (String field : List.of("image", "input_image")) {
            if (unit.value(field).filter(ObjectNode.class::isInstance).isPresent()) { // with a mask beside it
                Fields both = unit.object(field);
                requireNoMask(both, "mask");
                return decoded(both, "image").orElseThrow(() -> missing(both.path("image")));
            }
            Optional<Pixels> sent = decoded(unit, field);
            if (sent.isPresent()) {
                return sent.get();
            }
        }
        return request.start() instanceof ImageStart start
                ? start.image().pixels()
                : Optional.<Pixels>empty().orElseThrow(() -> missing(unit.path("image")));
    }

    private static Optional<Pixels> decoded(Fields fields, String field) {
        return fields.text(field)
                .filter(text -> !text.isBlank())
                .map(text -> SentImages.pixels(SentImages.bytes(text, fields.path(field)), fields.path(field)));
    }

    private static HttpError missing(String field) {
        return HttpError.field(field, field + " is missing: send what the ControlNet is to go by");
    }

    private static void requireNoMask(Fields fields, String field) {
        if (!fields.isNeutral(field)) {
            throw HttpError.field(fields.path(field), fields.path(field) + " is not supported here: leave it out");
        }
    }

    private static void requireSupported(Fields unit, Request request) {
        for (String mask : List.of("mask", "mask_image", "effective_region_mask", "ipadapter_input")) {
            requireNoMask(unit, mask);
        }
        if (!unit.isNeutral("control_mode", 0, "Balanced", "ControlMode.BALANCED")) {
            throw HttpError.field(
                    unit.path("control_mode"), unit.path("control_mode") + " can only be 0, \"Balanced\", here");
        }
        if (request.hires() > 1 && !unit.isNeutral("hr_option", "Both", "HiResFixOption.BOTH", 0)) {
            throw HttpError.field(unit.path("hr_option"), unit.path("hr_option") + " can only be \"Both\" here");
        }
        if (!unit.isNeutral("guessmode", false)) {
            throw HttpError.field(unit.path("guessmode"), unit.path("guessmode") + " is not supported here");
        }
    }

    /** In the request's shape, as {@code resize_mode} says; the middle of it where it does not. */
    private static Pixels fitted(Fields unit, Pixels image, Request request) {
        Fit fit = fit(unit);
        int width = request.width();
        int height = request.height();
        if (fit == Fit.STRETCH || (long) image.width() * height == (long) image.height() * width) {
            return image;
        }
        if (width == 0 || height == 0) {
            if (unit.has("resize_mode")) {
                throw HttpError.field(
                        unit.path("resize_mode"), unit.path("resize_mode") + " needs width and height to be said");
            }
            return image;
        }
        if (fit == Fit.FILL) {
            return Fitting.fill(image, width, height);
        }
        int inWidth = (int) Math.min(image.width(), Math.max(1, Math.round((double) image.height() * width / height)));
        int inHeight = (int) Math.min(image.height(), Math.max(1, Math.round((double) image.width() * height / width)));
        int left = (image.width() - inWidth) / 2;
        int top = (image.height() - inHeight) / 2;
        return image.crop(new Box(left, top, left + inWidth, top + inHeight));
    }

    private static Fit fit(Fields unit) {
        String mode = unit.text("resize_mode").orElse("").strip().toLowerCase(Locale.ROOT);
        return switch (mode) {
            case "0", "just resize", "resizemode.resize" -> Fit.STRETCH;
            case "", "1", "crop and resize", "scale to fit (inner fit)", "inner fit", "resizemode.inner_fit" ->
                Fit.CROP;
            case "2", "resize and fill", "envelope (outer fit)", "outer fit", "resizemode.outer_fit" -> Fit.FILL;
            default ->
                throw HttpError.field(
                        unit.path("resize_mode"),
                        unit.path("resize_mode") + " must be Just Resize, Crop and Resize or Resize and Fill");
        };
    }
}
