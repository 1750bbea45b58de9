package io.tome4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Start;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.server.generate.OwnFields;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.Exchange.Form;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an edit begins with, as a form or as JSON.
 *
 * @param fields all but the images
 * @param image what is changed
 * @param mask white where the image is painted anew; empty for all of it
 */
record EditRequest(ObjectNode fields, Pixels image, Optional<Pixels> mask) {
    private static final Pattern INNER = Pattern.compile("(\\w{1,60})\\[(\\w{1,60})]");
    private static final String IMAGE = "image";
    private static final String MASK = "mask";

    static EditRequest read(Exchange exchange) {
        boolean isForm = exchange.header("Content-Type")
                .filter(type -> type.toLowerCase(java.util.Locale.ROOT).startsWith("multipart/form-data"))
                .isPresent();
        return isForm ? of(exchange.form()) : of(Json.read(exchange, false));
    }

    private static EditRequest of(Form form) {
        ObjectNode fields = Json.object();
        form.texts().forEach((name, values) -> put(fields, name, values.get(values.size() - 1)));
        List<byte[]> images = new ArrayList<>(form.files().getOrDefault(IMAGE, List.of()));
        images.addAll(form.files().getOrDefault(IMAGE + "[]", List.of()));
        Optional<byte[]> mask =
                form.files().getOrDefault(MASK, List.of()).stream().findFirst();
        return of(fields, images, mask);
    }

    /** Clients write the fields of an object as {@code token_merging[ratio]}. */
    private static void put(ObjectNode fields, String name, String value) {
        Matcher inner = INNER.matcher(name);
        if (inner.matches()) {
            JsonNode object = fields.get(inner.group(1));
            (object instanceof ObjectNode there ? there : fields.putObject(inner.group(1))).put(inner.group(2), value);
        } else if (name.equals(OwnFields.TOKEN_MERGING)) {
            fields.set(name, OwnFields.parsed(name, value));
        } else {
            fields.put(name, value);
        }
    }

    private static EditRequest of(ObjectNode json) {
        List<byte[]> images = new ArrayList<>();
        for (JsonNode image : json.path("images")) {
            images.add(bytes(image, IMAGE));
        }
        Optional<byte[]> mask = json.hasNonNull(MASK) ? Optional.of(bytes(json.get(MASK), MASK)) : Optional.empty();
        json.remove(List.of("images", MASK));
        return of(json, images, mask);
    }

    private static byte[] bytes(JsonNode image, String field) {
        String url = image.path("image_url").asText("");
        if (!url.startsWith("data:")) {
            throw HttpError.field(
                    field, field + " must have an image_url that holds the image: data:image/png;base64,...");
        }
        return SentImages.bytes(url, field);
    }

    private static EditRequest of(ObjectNode fields, List<byte[]> images, Optional<byte[]> mask) {
        if (images.size() != 1) {
            throw HttpError.field(
                    IMAGE, images.isEmpty() ? "Missing required parameter: 'image'" : "image: send one, not several");
        }
        return new EditRequest(
                fields, SentImages.pixels(images.get(0), IMAGE), mask.map(bytes -> SentImages.mask(bytes, MASK, true)));
    }

    /** The request with what it begins with, at the image's own size. */
    Request begin(Request request) {
        ImageStart start = Start.from(SourceImage.of(image));
        return request.size(wholeLatents(image.width()), wholeLatents(image.height()))
                .start(mask.map(each -> start.repainting(SourceImage.of(each))).orElse(start));
    }

    private static int wholeLatents(int pixels) {
        return Math.max(1, pixels / Request.PIXELS_PER_LATENT) * Request.PIXELS_PER_LATENT;
    }
}
