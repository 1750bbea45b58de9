package io.tome4j.diffusion;

import io.tome4j.models.unet.ImagePrompt;
import java.util.List;

/**
 * What steers a denoiser in a run besides the text.
 *
 * @param controls ControlNets
 * @param adapters what T2I-Adapters made of their images
 * @param images what IP-Adapters made of theirs
 */
record Steering(Controls controls, AdapterFeatures adapters, List<ImagePrompt> images) {
    static final Steering NONE = new Steering(Controls.NONE, AdapterFeatures.NONE, List.of());
}
