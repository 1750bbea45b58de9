package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Method;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.generate.MergingJson;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.queue.ServedModel;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The web UI's options, as far as there is something behind them, written and read. */
final class OptionKeys {
    static final String CHECKPOINT = "sd_model_checkpoint";
    static final String RATIO = "token_merging_ratio";
    private static final String RATIO_IMG2IMG = "token_merging_ratio_img2img";
    private static final String RATIO_HR = "token_merging_ratio_hr";
    private static final String CLIP_SKIP = "CLIP_stop_at_last_layers";
    private static final int MOST_LAYERS = 12; // the web UI's own
    private static final String FORMAT = "samples_format";
    private static final String OURS = "tome4j";

    /** SD.Next's names of a ratio and the method it is of. */
    private static final Map<String, Method> OF_METHOD = Map.of("tome_ratio", Method.TOME, "todo_ratio", Method.TODO);

    /** What may be said and changes nothing, and is an error otherwise. */
    private static final Map<String, List<Object>> NEUTRAL = Map.of(
            "sd_vae", List.of("Automatic", "None"),
            "eta_noise_seed_delta", List.of(0),
            "randn_source", List.of("CPU"),
            "sd_checkpoint_hash", List.of());

    /** Of no consequence here, whatever they are. */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("live_previews_enable", "show_progress_every_n_steps", "sd_checkpoint_hash", "token_merging_method");

    private OptionKeys() {}

    /** All of them. */
    static ObjectNode write(OptionsState state) {
        ObjectNode json = Json.object();
        json.put(CHECKPOINT, state.model().title());
        json.put("sd_checkpoint_hash", state.model().hash());
        json.put("sd_vae", "Automatic");
        json.put(CLIP_SKIP, state.clipSkip() + 1);
        json.put(RATIO, state.merging().ratio());
        json.put(RATIO_IMG2IMG, state.ratioImg2img());
        json.put(RATIO_HR, state.ratioHr());
        json.put(FORMAT, state.format() == ImageFormat.JPEG ? "jpg" : "png");
        json.put("randn_source", "CPU");
        json.put("eta_noise_seed_delta", 0);
        json.put("live_previews_enable", true);
        json.put("show_progress_every_n_steps", 1);
        json.set(OURS, OptionsJson.of(state.merging()));
        return json;
    }

    /**
     * The state with what some options say.
     *
     * @throws HttpError if one of them cannot be; 404 for a model that is not served
     */
    static OptionsState read(Fields fields, OptionsState state, Generation generation) {
        ObjectNode now = write(state);
        OptionsState changed = state;
        for (String name : fields.names()) {
            JsonNode there = now.get(name);
            if (there == null || !fields.isNeutral(name, plain(there))) {
                changed = with(name, fields, changed, generation);
            }
        }
        return changed;
    }

    private static Object plain(JsonNode value) {
        return value.isNumber() ? value.numberValue() : value.isContainerNode() ? "" : value.asText();
    }

    private static OptionsState with(String name, Fields fields, OptionsState state, Generation generation) {
        if (OF_METHOD.containsKey(name)) {
            ToMeOptions options = ratio(state.merging(), fields, name);
            return state.merging(options.merges() ? options.method(OF_METHOD.get(name)) : options);
        }
        return switch (name) {
            case CHECKPOINT -> state.model(model(fields.text(name).orElse(""), generation));
            case RATIO -> state.merging(ratio(state.merging(), fields, name));
            case RATIO_IMG2IMG ->
                state.ratioImg2img(ratio(state.merging(), fields, name).ratio());
            case RATIO_HR -> state.ratioHr(ratio(state.merging(), fields, name).ratio());
            case CLIP_SKIP -> state.clipSkip(clipSkip(fields, name).orElse(state.clipSkip()));
            case FORMAT ->
                state.format(ImageFormat.named(fields.text(name).orElse(""))
                        .orElseThrow(() -> HttpError.field(
                                fields.path(name), fields.path(name) + " must be png or jpg: no other can be made")));
            case OURS -> state.merging(MergingJson.read(fields, name, state.merging()));
            default -> {
                requireNeutral(name, fields);
                yield state;
            }
        };
    }

    /** Layers to leave out, of which the web UI counts one more; it takes 0 for 1. */
    static Optional<Integer> clipSkip(Fields fields, String name) {
        return fields.integer(name).map(layers -> {
            if (layers < 0 || layers > MOST_LAYERS) {
                throw HttpError.field(
                        fields.path(name), fields.path(name) + " is " + layers + ": it is from 1 to " + MOST_LAYERS);
            }
            return Math.max(0, layers - 1);
        });
    }

    private static void requireNeutral(String name, Fields fields) {
        List<Object> neutral = NEUTRAL.get(name);
        if (neutral != null && !WITHOUT_EFFECT.contains(name) && !fields.isNeutral(name, neutral.toArray())) {
            throw HttpError.field(fields.path(name), fields.path(name) + " can only be " + join(neutral) + " here");
        }
    }

    private static String join(List<Object> values) {
        StringBuilder text = new StringBuilder();
        for (Iterator<Object> each = values.iterator(); each.hasNext(); ) {
            text.append(each.next()).append(each.hasNext() ? " or " : "");
        }
        return text.toString();
    }

    static ToMeOptions ratio(ToMeOptions options, Fields fields, String name) {
        return fields.number(name)
                .map(ratio -> MergingJson.ratio(options, ratio, fields.path(name)))
                .orElse(options);
    }

    static ServedModel model(String name, Generation generation) {
        return generation.model(name).orElseThrow(() -> HttpError.of(
                        404,
                        "Checkpoint not found; there are "
                                + String.join(
                                        ", ",
                                        generation.queue().models().stream()
                                                .map(ServedModel::title)
                                                .toList()))
                .about(CHECKPOINT));
    }
}
