package io.tome4j.cli.evaluate;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.Placement;
import java.util.LinkedHashMap;
import java.util.Map;

/** What an evaluation's images depend on, by name, so that those of other settings are not taken for its own. */
final class ImageSettings {
    private ImageSettings() {}

    /** All but prompts and merging. */
    static Map<String, String> of(ChosenModel model, Request template, long seed) {
        Placement placement = model.placement();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model", model.identity());
        settings.put("seed", String.valueOf(seed));
        settings.put("steps", String.valueOf(template.steps()));
        settings.put("guidance", String.valueOf(template.guidanceScale()));
        settings.put("scheduler", template.scheduler());
        settings.put("negative", template.negativePrompt());
        settings.put("size", template.width() + "x" + template.height());
        settings.put("device", LowerCase.name(placement.device()));
        settings.put("dtype", LowerCase.name(placement.dtype()));
        settings.put("attention", LowerCase.name(model.options().attention()));
        return settings;
    }
}
