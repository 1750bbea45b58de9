package io.tome4j.diffusion;

/**
 * How much memory a request needs, in bytes, about: see docs/measurements.md for how far off.
 *
 * @param weights of all models; they are in memory as soon as the pipeline is loaded
 * @param denoising what a step needs besides them
 * @param decoding what it takes to decode an image
 */
public record MemoryEstimate(long weights, long denoising, long decoding) {
    /** What a request needs besides the weights: denoising and decoding come one after the other. */
    public long beyondWeights() {
        return Math.max(denoising, decoding);
    }

    /** All together, without what the process itself takes (Java and libtorch: 0.5 to 1 GB). */
    public long total() {
        return weights + beyondWeights();
    }
}
