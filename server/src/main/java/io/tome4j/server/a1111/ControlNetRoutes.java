package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.ControlNetFolder;
import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** What the web UI's extension for ControlNet answers about itself. */
final class ControlNetRoutes {
    static final String ROOT = "/controlnet/";
    private static final int MOST_IMAGES = 8;
    private static final int MOST_DETECTED = 2; // at the same time
    private static final List<String> MODULES = List.of("none", "canny");

    private final Optional<ControlNetFolder> folder;
    private final Semaphore detecting = new Semaphore(MOST_DETECTED);

    /** @param folder of the nets that can be named; empty if there are none */
    ControlNetRoutes(Optional<ControlNetFolder> folder) {
        this.folder = folder;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        ROOT + "version",
                        exchange -> Json.answer(exchange, Json.object().put("version", 3))),
                Route.get(
                        ROOT + "settings",
                        exchange -> Json.answer(exchange, Json.object().put("control_net_unit_count", 3))),
                Route.get(ROOT + "model_list", this::models),
                Route.get(ROOT + "module_list", ControlNetRoutes::modules),
                Route.get(ROOT + "control_types", this::types),
                Route.post(ROOT + "detect", this::detect));
    }

    private List<String> names() {
        return folder.map(ControlNetFolder::names).orElse(List.of());
    }

    private void models(Exchange exchange) {
        ObjectNode json = Json.object();
        ArrayNode list = json.putArray("model_list");
        names().forEach(list::add);
        Json.answer(exchange, json);
    }

    private static void modules(Exchange exchange) {
        ObjectNode json = Json.object();
        ArrayNode list = json.putArray("module_list");
        MODULES.forEach(list::add);
        ObjectNode detail = json.putObject("module_detail");
        detail.putObject("none").put("model_free", false).putArray("sliders");
        ArrayNode sliders = detail.putObject("canny").put("model_free", false).putArray("sliders");
        slider(sliders, "Resolution", 64, ControlUnits.LARGEST_RESOLUTION, ControlUnits.USUAL_RESOLUTION);
        slider(sliders, "Canny Low Threshold", 1, 255, ControlUnits.LOW);
        slider(sliders, "Canny High Threshold", 1, 255, ControlUnits.HIGH);
        Json.answer(exchange, json);
    }

    private static void slider(ArrayNode sliders, String name, int least, int most, int usual) {
        sliders.addObject().put("name", name).put("min", least).put("max", most).put("value", usual);
    }

    private void types(Exchange exchange) {
        ObjectNode json = Json.object();
        ObjectNode all = json.putObject("control_types").putObject("All");
        ArrayNode modules = all.putArray("module_list");
        MODULES.forEach(modules::add);
        ArrayNode models = all.putArray("model_list").add("None");
        names().forEach(models::add);
        all.put("default_option", "none").put("default_model", "None");
        Json.answer(exchange, json);
    }

    /** Finds edges in images, or gives them back as they are. */
    private void detect(Exchange exchange) {
        Fields fields = Fields.of(Json.read(exchange, false));
        boolean edges = ControlUnits.isCanny(fields.text("controlnet_module").orElse("none"), "controlnet_module");
        String field = fields.has("controlnet_images") ? "controlnet_images" : "controlnet_input_images";
        List<String> images = fields.texts(field);
        if (images.isEmpty() || images.size() > MOST_IMAGES) {
            throw HttpError.field(field, field + " has " + images.size() + " images: send one to " + MOST_IMAGES);
        }
        int resolution = fields.integer("controlnet_processor_res").orElse(-1);
        Canny canny = ControlUnits.canny(fields, "controlnet_threshold_a", "controlnet_threshold_b");
        if (!detecting.tryAcquire()) {
            throw HttpError.tooMany("Edges of other images are looked for just now", 1);
        }
        try {
            ObjectNode json = Json.object();
            ArrayNode found = json.putArray("images");
            for (String image : images) {
                Pixels pixels = SentImages.pixels(SentImages.bytes(image, field), field);
                Pixels map = edges
                        ? canny.of(ControlUnits.detectable(pixels, resolution, "controlnet_processor_res"))
                        : pixels;
                found.add(ImageFormat.pngBase64(map.toRgb().toBufferedImage()));
            }
            Json.answer(exchange, json.put("info", "Success"));
        } finally {
            detecting.release();
        }
    }
}
