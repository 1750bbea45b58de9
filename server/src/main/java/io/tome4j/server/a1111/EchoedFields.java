package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.server.http.Json;

/** The request as the web UI gives it back: with the defaults of what was left out. */
final class EchoedFields {
    private EchoedFields() {}

    static ObjectNode of(ObjectNode asked, Request request) {
        ObjectNode json = Json.object();
        json.put("prompt", "");
        json.put("negative_prompt", "");
        json.putArray("styles");
        json.put("seed", -1);
        json.put("subseed", -1);
        json.put("subseed_strength", 0);
        json.put("seed_resize_from_h", -1);
        json.put("seed_resize_from_w", -1);
        json.putNull("sampler_name");
        json.putNull("scheduler");
        json.put("batch_size", 1);
        json.put("n_iter", 1);
        json.put("steps", 0);
        json.put("cfg_scale", 0);
        json.put("width", 0);
        json.put("height", 0);
        json.put("restore_faces", false);
        json.put("tiling", false);
        json.put("do_not_save_samples", false);
        json.put("do_not_save_grid", false);
        json.putNull("eta");
        json.put("denoising_strength", 0);
        json.putObject("override_settings");
        json.put("override_settings_restore_afterwards", true);
        json.put("enable_hr", false);
        json.put("send_images", true);
        json.put("save_images", false);
        json.putObject("alwayson_scripts");
        asked.properties().forEach(field -> json.set(field.getKey(), field.getValue()));
        for (String image : new String[] {"init_images", "mask", "firstpass_image"}) {
            if (json.has(image)) {
                json.putNull(image);
            }
        }
        json.put("steps", request.steps());
        json.put("cfg_scale", request.guidanceScale());
        json.put("width", request.width());
        json.put("height", request.height());
        json.put("sampler_index", Schedulers.title(request.scheduler()));
        return json;
    }
}
