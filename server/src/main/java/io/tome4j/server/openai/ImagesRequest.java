package io.tome4j.server.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.Request;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.Generation.Asked;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.generate.OwnFields;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.queue.ServedModel;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A request for images as OpenAI's API takes it.
 *
 * @param asked what was understood of it
 * @param format what images are sent as
 * @param quality of JPEGs, from 0 to 100
 * @param stream whether to send events
 * @param partialImages how many previews to send
 * @param said the quality that was asked for, which has no meaning here
 */
record ImagesRequest(Asked asked, ImageFormat format, int quality, boolean stream, int partialImages, String said) {
    /** Names that clients have built in; whatever the model is, it is meant. */
    private static final Pattern THEIRS = Pattern.compile("(gpt-image|dall-e|chatgpt-image)[\\w.-]{0,60}");

    private static final int MOST_PARTIAL = 3;

    /** What this API calls the library's options. */
    static String name(String option) {
        return switch (option) {
            case "num_images_per_prompt" -> "n";
            case "width", "height" -> "size";
            default -> option;
        };
    }

    /**
     * @param base gives a request for the prompt, with what suits the model
     */
    static ImagesRequest read(ObjectNode json, Generation generation, Base base) {
        Fields fields = Fields.of(json);
        String prompt = fields.text("prompt")
                .orElseThrow(() -> HttpError.field("prompt", "Missing required parameter: 'prompt'"));
        ServedModel model = model(fields, generation);
        if (fields.text("background").filter("transparent"::equalsIgnoreCase).isPresent()) {
            throw HttpError.field("background", "background cannot be transparent: models here draw opaque images");
        }
        String formatName =
                fields.text("output_format").filter(text -> !text.isBlank()).orElse("png");
        ImageFormat format = ImageFormat.named(formatName)
                .orElseThrow(() -> HttpError.field("output_format", "output_format must be png or jpeg"));
        int quality = fields.integer("output_compression").orElse(100);
        if (quality < 0 || quality > 100) {
            throw HttpError.field("output_compression", "output_compression is " + quality + ": it is from 0 to 100");
        }
        boolean stream = fields.flag("stream").orElse(false);
        int partial = fields.integer("partial_images").orElse(0);
        if (partial < 0 || partial > MOST_PARTIAL) {
            throw HttpError.field(
                    "partial_images", "partial_images is " + partial + ": it is from 0 to " + MOST_PARTIAL);
        }
        int count = fields.integer("n").orElse(1);
        if (stream && count > 1) {
            throw HttpError.field("n", "n must be 1 where images are streamed");
        }
        Request request =
                OwnFields.sized(base.request(model, prompt), fields.text("size").orElse("auto"), "size");
        boolean drawsSeed = !fields.has(Request.SEED.name());
        return new ImagesRequest(
                new Asked(model, OwnFields.apply(fields, request), count, drawsSeed, false),
                format,
                quality,
                stream,
                partial,
                fields.text("quality").orElse("auto").toLowerCase(Locale.ROOT));
    }

    /** Begins a request for a prompt. */
    @FunctionalInterface
    interface Base {
        Request request(ServedModel model, String prompt);
    }

    private static ServedModel model(Fields fields, Generation generation) {
        String name = fields.text("model").orElse("");
        if (name.isBlank() || THEIRS.matcher(name).matches()) {
            return generation.usualModel();
        }
        return generation.model(name).orElseThrow(() -> notFound(name));
    }

    static HttpError notFound(String name) {
        String shown = name.length() <= 60 ? name : name.substring(0, 60) + "...";
        return HttpError.of(404, "The model '" + shown + "' does not exist")
                .about("model")
                .code("model_not_found");
    }
}
