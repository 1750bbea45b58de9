package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.ReadParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.Generation.Asked;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.queue.ServedModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.UnaryOperator;

/**
 * A request for images as the web UI takes it.
 *
 * @param state the options as its {@code override_settings} leave them
 * @param asked what was understood of it
 * @param sendImages whether the answer is to hold the images
 * @param saveImages whether they are to be kept
 */
record TextToImage(OptionsState state, Asked asked, boolean sendImages, boolean saveImages) {
    private static final String SCRIPTS = "alwayson_scripts";
    private static final int MOST_SEEDS = 1_000_000;

    /** What this API calls the library's options. */
    static final UnaryOperator<String> NAMES = option -> switch (option) {
        case "num_inference_steps" -> "steps";
        case "guidance_scale" -> "cfg_scale";
        case "scheduler" -> "sampler_name";
        case "schedule_type" -> "scheduler";
        case "strength", "hires_strength" -> "denoising_strength";
        case "hires" -> "hr_scale";
        case "hires_steps" -> "hr_second_pass_steps";
        case "hires_upscaler" -> "hr_upscaler";
        case "padding_mask_crop" -> "inpaint_full_res_padding";
        case "num_images_per_prompt" -> "batch_size";
        case "refiner_start" -> "refiner_switch_at";
        case "controlnet", "control_image" -> "controlnet";
        case "control_scale" -> "weight";
        case "control_start" -> "guidance_start";
        case "control_end" -> "guidance_end";
        default -> option;
    };

    /** What may be said and changes nothing; anything else is an error. */
    private static final Map<String, List<Object>> NEUTRAL = Map.ofEntries(
            Map.entry("styles", List.of()),
            Map.entry("subseed_strength", List.of(0)),
            Map.entry("seed_resize_from_h", List.of(-1, 0)),
            Map.entry("seed_resize_from_w", List.of(-1, 0)),
            Map.entry("firstpass_image", List.of()),
            Map.entry("disable_extra_networks", List.of(false)),
            Map.entry("restore_faces", List.of(false)),
            Map.entry("tiling", List.of(false)),
            Map.entry("eta", List.of(0, 1)),
            Map.entry("s_churn", List.of(0)),
            Map.entry("s_tmin", List.of(0)),
            Map.entry("s_noise", List.of(0, 1)),
            Map.entry("s_min_uncond", List.of(0)),
            Map.entry("script_name", List.of("None")));

    /**
     * Reads a request.
     *
     * @param fromImage whether it begins with an image
     */
    static TextToImage read(ObjectNode json, OptionsState options, Generation generation, boolean fromImage) {
        Fields fields = Fields.of(json);
        requireNeutral(fields);
        OptionsState state = OptionKeys.read(fields.object("override_settings"), options, generation);
        ServedModel model = state.model();
        Request request = base(fields, generation, model).merging(merging(fields, state, fromImage));
        request = fields.integer("steps").map(request::steps).orElse(request);
        request = fields.number("cfg_scale").map(request::guidanceScale).orElse(request);
        request = fromImage
                ? InitialImage.apply(fields, request)
                : SecondPass.apply(fields, sized(request, fields), state.ratioHr());
        request = fields.text("negative_prompt").map(request::negativePrompt).orElse(request);
        request = sampled(request, fields);
        int clipSkip = OptionKeys.clipSkip(fields, "clip_skip")
                .filter(layers -> layers > 0)
                .orElse(state.clipSkip());
        request = clipSkip > 0 ? request.clipSkip(clipSkip) : request;
        request = refined(request, fields, model);
        for (String script : fields.object(SCRIPTS).names()) {
            if (script.equalsIgnoreCase(ControlUnits.SCRIPT)) {
                request = ControlUnits.apply(fields.object(SCRIPTS).object(script), request);
            }
        }
        long seed = fields.whole("seed").orElse(request.seed());
        // Only the number -1 asks for any seed: 2^64 - 1, which is the same one, is meant as it stands.
        boolean draws = fields.text("seed")
                .map(text -> seed == -1 && text.strip().startsWith("-"))
                .orElse(!fields.has("infotext"));
        request = request.seed(draws ? ThreadLocalRandom.current().nextLong((1L << 32) - MOST_SEEDS) : seed);
        long count = (long) count(fields, "batch_size") * count(fields, "n_iter");
        Asked asked = new Asked(model, request, (int) Math.min(count, Integer.MAX_VALUE), draws, false);
        return new TextToImage(
                state,
                asked,
                fields.flag("send_images").orElse(true),
                fields.flag("save_images").orElse(false)
                        && !fields.flag("do_not_save_samples").orElse(false));
    }

    private static int count(Fields fields, String name) {
        int count = fields.integer(name).orElse(1);
        if (count < 1) {
            throw HttpError.field(name, name + " is " + count + ": it must be at least 1");
        }
        return count;
    }

    /** The prompt, over what an infotext says that comes with the request. */
    private static Request base(Fields fields, Generation generation, ServedModel model) {
        Optional<String> infotext = fields.text("infotext").filter(text -> !text.isBlank());
        if (infotext.isEmpty()) {
            return generation.base(model, fields.text("prompt").orElse("")).promptSyntax(PromptSyntax.A1111);
        }
        ReadParameters read = ReadParameters.of(infotext.get());
        Request said = read.parameters()
                .orElseThrow(() -> HttpError.field("infotext", "infotext cannot be used: " + read.problem()))
                .request();
        Request request = said.imagesPerPrompt(1)
                .promptSyntax(PromptSyntax.A1111)
                .prompts(List.of(
                        fields.text("prompt").filter(text -> !text.isEmpty()).orElse(read.prompt())));
        return Schedulers.names().contains(request.scheduler()) ? request : request.scheduler(Request.CHECKPOINTS_OWN);
    }

    /** Its ratio may stand at the top, too, where users expect it. */
    private static ToMeOptions merging(Fields fields, OptionsState state, boolean fromImage) {
        ToMeOptions options = fromImage && state.ratioImg2img() > 0
                ? state.merging().withRatio(state.ratioImg2img())
                : state.merging();
        return OptionKeys.ratio(options, fields, OptionKeys.RATIO);
    }

    private static Request sized(Request request, Fields fields) {
        return request.size(
                fields.integer("width").orElse(request.width()),
                fields.integer("height").orElse(request.height()));
    }

    private static Request sampled(Request request, Fields fields) {
        Optional<String> sampler = fields.text("sampler_name")
                .filter(name -> !name.isBlank())
                .or(() -> fields.text("sampler_index").filter(name -> !name.isBlank()));
        String spacing = fields.text("scheduler").orElse("");
        return sampler.map(name -> Samplers.sampled(request, name, spacing))
                .orElseGet(() -> Samplers.spaced(request, spacing));
    }

    /** The refiner is loaded with the model; a request can only name it, and say where it takes over. */
    private static Request refined(Request request, Fields fields, ServedModel model) {
        String refiner = fields.text("refiner_checkpoint").orElse("").strip();
        if (refiner.isEmpty() || refiner.equalsIgnoreCase("none")) {
            return request;
        }
        if (!model.isRefinedBy(refiner)) {
            throw HttpError.field(
                    "refiner_checkpoint",
                    model.refiner().isEmpty()
                            ? "refiner_checkpoint is not supported: the model was loaded without a refiner"
                            : "refiner_checkpoint can only be " + model.refinerName()
                                    + ", which was loaded with the model");
        }
        return fields.number("refiner_switch_at").map(request::refinerStart).orElse(request);
    }

    private static void requireNeutral(Fields fields) {
        for (Map.Entry<String, List<Object>> field : NEUTRAL.entrySet()) {
            if (!fields.isNeutral(field.getKey(), field.getValue().toArray())) {
                throw unsupported(field.getKey());
            }
        }
        if (!fields.isNeutral("s_tmax", 0) && fields.number("s_tmax").orElse(0.0) < 1e9) { // infinity is no limit
            throw unsupported("s_tmax");
        }
        Fields scripts = fields.object(SCRIPTS);
        for (String script : scripts.names()) {
            if (script.equalsIgnoreCase(ControlUnits.SCRIPT)) {
                continue;
            }
            JsonNode arguments = scripts.object(script).value("args").orElse(null);
            boolean neutral = arguments == null
                    || arguments.isEmpty()
                    || (arguments.isArray()
                            && arguments.size() == 1
                            && !arguments.get(0).asBoolean(true));
            if (!neutral) {
                throw unsupported("alwayson_scripts." + script);
            }
        }
    }

    private static HttpError unsupported(String field) {
        return HttpError.field(field, field + " is not supported here: leave it out");
    }
}
