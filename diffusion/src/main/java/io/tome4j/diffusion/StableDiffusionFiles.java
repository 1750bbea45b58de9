package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointKind;
import java.util.List;

/** The checkpoints that a {@link StableDiffusionPipeline} is made from. */
public final class StableDiffusionFiles {
    private static final CheckpointKind STABLE_DIFFUSION = new CheckpointKind(
            "Stable Diffusion 1.x and 2.x",
            List.of("StableDiffusionPipeline"),
            List.of(
                    "scheduler/scheduler_config.json",
                    "text_encoder/config.json",
                    "unet/config.json",
                    "vae/config.json"),
            List.of("tokenizer"),
            List.of("text_encoder", "unet", "vae"));

    /** The kinds that can be used. */
    public static final List<CheckpointKind> KINDS = List.of(STABLE_DIFFUSION);

    private StableDiffusionFiles() {}
}
