package io.tome4j.models.singlefile;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * Tensors in files that are no part of a model, and known: what training kept, tables that are computed from the config,
 * marks.
 */
final class KnownJunk {
    /** Moving averages of the weights. */
    static final String MOVING_AVERAGE = "model_ema.";

    private static final Pattern ANYWHERE = Pattern.compile(
            "(betas|alphas_cumprod(_prev)?|alphas_.*|sqrt_.*|posterior_.*|log_.*|logvar|scale_factor|lvlb_weights"
                    + "|denoiser\\..*|embedding_manager\\..*|lora_.*|optimizer_states.*|lr_schedulers.*|loss\\..*|callbacks.*"
                    + "|model_ema\\..*|global_step|epoch|v_pred|ztsnr|edm_mean|edm_std|edm_vpred\\..*|state_dict"
                    + "|discriminator\\..*|safety_checker\\..*|control_scales|n_averaged|iteration)");

    private static final Pattern IN_TEXT = Pattern.compile(
            ".*(position_ids|logit_scale|attn_mask|text_projection(\\.weight)?|visual\\..*|vision_model\\..*"
                    + "|visual_projection\\.weight)");

    private static final Set<String> TEXT = Set.of("text_encoder", "text_encoder_2");

    private KnownJunk() {}

    /** Whether a tensor outside the model's parts is known. */
    static boolean isKnown(String name) {
        return ANYWHERE.matcher(name).matches();
    }

    /** Whether a tensor among those of a part is known, and not of the model. */
    static boolean isKnownIn(String component, String nameInPart) {
        return TEXT.contains(component)
                ? IN_TEXT.matcher(nameInPart).matches()
                : isKnown(nameInPart) || nameInPart.equals("model_ema.decay");
    }
}
