package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.PatchReport;
import io.tome4j.server.http.Json;
import io.tome4j.server.queue.MadeImage;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.ServedModel;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;

/** What the web UI says of the images that it made, which clients read as text. */
final class GenerationInfo {
    private static final DateTimeFormatter TIMESTAMP = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");

    private GenerationInfo() {}

    /** Now, as the web UI writes it. */
    static String timestamp() {
        return LocalDateTime.now(java.time.ZoneId.systemDefault()).format(TIMESTAMP);
    }

    /**
     * @param original what was asked for
     * @param asked what was made of it, within the limits
     */
    static ObjectNode of(ServedModel model, Request original, Request asked, Outcome outcome) {
        List<MadeImage> images = outcome.images();
        ObjectNode json = Json.object();
        String prompt = asked.prompts().get(0);
        json.put("prompt", prompt);
        ArrayNode prompts = json.putArray("all_prompts");
        json.put("negative_prompt", asked.negativePrompt());
        ArrayNode negatives = json.putArray("all_negative_prompts");
        json.put("seed", asked.unsignedSeed());
        ArrayNode seeds = json.putArray("all_seeds");
        json.put("subseed", asked.unsignedSeed());
        ArrayNode subseeds = json.putArray("all_subseeds");
        for (MadeImage image : images) {
            prompts.add(prompt);
            negatives.add(asked.negativePrompt());
            seeds.add(image.request().unsignedSeed());
            subseeds.add(image.request().unsignedSeed());
        }
        json.put("subseed_strength", 0);
        json.put(
                "width",
                images.isEmpty() ? asked.width() : images.get(0).image().width());
        json.put(
                "height",
                images.isEmpty() ? asked.height() : images.get(0).image().height());
        json.put("sampler_name", sampler(asked, images));
        json.put("cfg_scale", asked.guidanceScale());
        json.put("steps", asked.steps());
        json.put("batch_size", 1);
        json.put("restore_faces", false);
        json.putNull("face_restoration_model");
        json.put("sd_model_name", model.name());
        json.put("sd_model_hash", model.shortHash());
        json.putNull("sd_vae_name");
        json.putNull("sd_vae_hash");
        json.put("seed_resize_from_w", -1);
        json.put("seed_resize_from_h", -1);
        json.put("denoising_strength", strength(asked));
        putExtra(json.putObject("extra_generation_params"), original, asked, images);
        json.put("index_of_first_image", 0);
        ArrayNode infotexts = json.putArray("infotexts");
        images.forEach(image -> infotexts.add(image.image().parameters()));
        json.putArray("styles");
        json.put("job_timestamp", timestamp());
        json.put("clip_skip", asked.clipSkip() + 1);
        json.put("is_using_inpainting_conditioning", false);
        json.put("version", GenerationParameters.thisVersion());
        return json;
    }

    private static double strength(Request asked) {
        return asked.hires() > 1 ? asked.hiresStrength() : Math.max(0, asked.strength());
    }

    private static String sampler(Request asked, List<MadeImage> images) {
        String ran = images.stream()
                .flatMap(image -> image.result().stream())
                .map(result -> result.request().scheduler())
                .findFirst()
                .orElse(asked.scheduler());
        return Schedulers.title(ran);
    }

    private static void putExtra(ObjectNode json, Request original, Request asked, List<MadeImage> images) {
        json.put("RNG", "CPU");
        images.stream().findFirst().ifPresent(first -> {
            if (original.width() != asked.width() || original.height() != asked.height()) {
                json.put("Scaled down from", original.width() + "x" + original.height());
            }
            first.merging().filter(PatchReport::merges).ifPresent(report -> {
                json.put("Token merging ratio", report.options().ratio());
                json.put("Token merging", report.summary());
            });
            if (!first.droppedWords().isEmpty()) {
                json.put("Dropped words", first.droppedWords());
            }
        });
    }
}
