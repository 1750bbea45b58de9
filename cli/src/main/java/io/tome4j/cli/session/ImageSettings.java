package io.tome4j.cli.session;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.Placement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What kept images depend on, by name, so that those of other settings are not taken for its own. */
public final class ImageSettings {
    private ImageSettings() {}

    private static final List<Option<?>> OF_EACH_IMAGE =
            List.of(Request.SEED, Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);

    /**
     * All but prompts and merging. An option of the request that is at its default is left out: so a new one does not
     * disown what was kept before there was one.
     */
    public static Map<String, String> of(ChosenModel model, Request template, long seed) {
        Placement placement = model.placement();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model", model.identity());
        settings.put("seed", String.valueOf(seed));
        Request.OPTIONS.stream()
                .filter(option -> !OF_EACH_IMAGE.contains(option))
                .forEach(option -> put(settings, option, template));
        if (!template.loras().isEmpty()) {
            settings.put("loras", template.loras().toString());
        }
        if (!template.embeddings().isEmpty()) {
            settings.put("embeddings", template.embeddings().toString());
        }
        settings.put("device", LowerCase.name(placement.device()));
        settings.put("dtype", LowerCase.name(placement.dtype()));
        settings.put("attention", LowerCase.name(model.options().attention()));
        return settings;
    }

    private static <T> void put(Map<String, String> settings, Option<T> option, Request template) {
        T value = template.get(option);
        // an empty negative prompt is to SDXL another than none
        boolean emptyNegative = option.equals(Request.NEGATIVE_PROMPT) && template.isChosen(option);
        if (emptyNegative || !value.equals(option.defaultValue())) {
            settings.put(option.name(), option.format(value));
        }
    }
}
