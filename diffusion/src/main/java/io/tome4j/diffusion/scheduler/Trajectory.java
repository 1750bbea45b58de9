package io.tome4j.diffusion.scheduler;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * One run of a scheduler from noise to an image. It owns the native memory of the model outputs it remembers; closing it
 * frees them. Not safe for use by several threads.
 *
 * <pre>{@code
 * try (Trajectory run = scheduler.start(30)) {
 *     Tensor latents = noise.mul(new Scalar(run.initNoiseSigma()));
 *     for (int i = 0; i < run.timesteps().length; i++) {
 *         Tensor predicted = model(run.scaleModelInput(latents, i), run.timesteps()[i]);
 *         latents = run.step(predicted, i, latents, generator);
 *     }
 * }
 * }</pre>
 *
 * <p>Results belong to the {@link io.tome4j.tensor.TensorScope} that is open around the call.
 */
public interface Trajectory extends AutoCloseable {
    /**
     * The timesteps with which the model is called, in order; mostly as many as there are steps, but more for the
     * solvers that call the model twice in a step (Heun) or that repeat one to warm up (PNDM).
     */
    double[] timesteps();

    /** The standard deviation of the initial latents: standard normal noise is multiplied by it. */
    double initNoiseSigma();

    /**
     * Begins at a later timestep; solvers that remember earlier ones begin there with none.
     *
     * @param index the position in {@link #timesteps()} of the first step
     * @throws IllegalArgumentException if there is no such timestep
     * @throws IllegalStateException if a step was taken already
     */
    void beginAt(int index);

    /**
     * The latents as the model wants them at a timestep.
     *
     * @param sample the latents, {@code [B, 4, H, W]} fp32
     * @param index the position in {@link #timesteps()}
     * @return {@code [B, 4, H, W]}
     * @throws IllegalArgumentException if there is no such timestep
     */
    Tensor scaleModelInput(Tensor sample, int index);

    /**
     * Takes the model's output at a timestep and moves the latents on to the next. Steps are taken in order, each once.
     *
     * @param modelOutput what the model (after guidance) predicted at {@code timesteps()[index]}, {@code [B, 4, H, W]};
     *     computed with in fp32
     * @param index the position in {@link #timesteps()}
     * @param sample the latents that went into {@link #scaleModelInput}, {@code [B, 4, H, W]} fp32
     * @param noise the CPU generator that ancestral and stochastic solvers draw from, as {@code generator=} in diffusers;
     *     the others leave it alone
     * @return the latents at the next timestep, {@code [B, 4, H, W]} fp32
     * @throws IllegalArgumentException if the step is not the next one
     * @throws IllegalStateException if the run was closed
     */
    Tensor step(Tensor modelOutput, int index, Tensor sample, Generator noise);

    /** Frees what the run remembers. Closing twice does no harm. */
    @Override
    void close();
}
