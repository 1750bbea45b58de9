package io.tome4j.server.a1111;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Upscaler;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import java.util.List;

/** The web UI's "hires fix": the image is gone over a second time, enlarged. */
final class SecondPass {
    private static final double USUAL_SCALE = 2; // the web UI's own
    private static final double USUAL_STRENGTH = 0.75;
    private static final List<String> OF_ITS_OWN =
            List.of("hr_checkpoint_name", "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt");

    private SecondPass() {}

    /**
     * The request with its second pass, if it has one.
     *
     * @param ratio of merging in it; 0 for none
     */
    static Request apply(Fields fields, Request request, double ratio) {
        if (!fields.flag("enable_hr").orElse(false)) {
            return request;
        }
        for (String field : OF_ITS_OWN) {
            if (!fields.isNeutral(field, "Use same checkpoint", "Use same sampler", "Use same scheduler")) {
                throw HttpError.field(field, field + " is not supported here: the second pass is as the first");
            }
        }
        for (String field : List.of("hr_resize_x", "hr_resize_y", "firstphase_width", "firstphase_height")) {
            if (!fields.isNeutral(field, 0)) {
                throw HttpError.field(field, field + " is not supported here: say hr_scale");
            }
        }
        return request.hires(fields.number("hr_scale").orElse(USUAL_SCALE))
                .with(
                        Request.HIRES_UPSCALER,
                        upscaler(fields.text("hr_upscaler").orElse("")))
                .hiresSteps(fields.integer("hr_second_pass_steps").orElse(0))
                .hiresStrength(fields.number("denoising_strength").orElse(USUAL_STRENGTH))
                .hiresRatio(ratio);
    }

    private static String upscaler(String name) {
        return name.isBlank() || name.equals("None") ? Upscaler.LATENT.id() : name.strip();
    }
}
