package io.tome4j.diffusion;

/**
 * What steers a denoiser in a run besides the text.
 *
 * @param controls ControlNets
 * @param adapters what T2I-Adapters made of their images
 */
record Steering(Controls controls, AdapterFeatures adapters) {
    static final Steering NONE = new Steering(Controls.NONE, AdapterFeatures.NONE);
}
