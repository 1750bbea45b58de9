package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.TomeException;
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

    /** How often the model is called in a whole step: 2 for solvers that look at a step's middle or end, else 1. */
    int order();

    /**
     * The standard deviation of the initial latents of a run from pure noise: standard normal noise is multiplied by it.
     * It does not change where a run starts in the middle.
     */
    double initNoiseSigma();

    /**
     * Leaves out the model calls before one, for a run that begins with an image and some noise; only before the first
     * step. What remains is counted from 0 again. Multistep solvers start as at the beginning, of first order.
     *
     * @param index the position in {@link #timesteps()} of what is called first; a multiple of {@link #order()}
     * @return this
     * @throws IllegalArgumentException if there is no such timestep, or it is in the middle of a step
     * @throws IllegalStateException if a step was taken
     */
    Trajectory startingAt(int index);

    /**
     * How many of the model calls belong to the first part of a run that another one takes over from: diffusers' {@code
     * denoising_end}.
     *
     * @param share of the training timesteps, from 0 to 1
     * @return the number of {@link #timesteps()} before that share
     */
    int callsBefore(double share);

    /**
     * Leaves out the model calls of a share of the run, as {@link #startingAt}: diffusers' {@code denoising_start}.
     *
     * @param share of the training timesteps, from 0 to 1
     * @return this
     * @throws TomeException if nothing would be left
     * @throws IllegalStateException if a step was taken
     */
    Trajectory startingAfter(double share);

    /**
     * An image's latents with noise: as a run would have them at a timestep.
     *
     * @param original the latents of an image, {@code [B, 4, H, W]}
     * @param noise standard normal, {@code [B, 4, H, W]}
     * @param index the position in {@link #timesteps()}: 0 where a run begins; for inpainting that of the next call
     * @return {@code [B, 4, H, W]} fp32
     * @throws IllegalArgumentException if there is no such timestep
     */
    Tensor addNoise(Tensor original, Tensor noise, int index);

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
     * The image's latents that a model's output predicts at a timestep: what previews show.
     *
     * @param modelOutput as for {@link #step}, {@code [B, 4, H, W]}
     * @param index the position in {@link #timesteps()}
     * @param sample as for {@link #step}, {@code [B, 4, H, W]} fp32
     * @return {@code [B, 4, H, W]} fp32, without noise
     * @throws IllegalArgumentException if there is no such timestep
     */
    Tensor original(Tensor modelOutput, int index, Tensor sample);

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
