package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What to draw.
 *
 * <pre>{@code
 * Request.of("a red apple").negativePrompt("blurry").seed(42).steps(20)
 * }</pre>
 *
 * @param prompts one or more; each gives {@code imagesPerPrompt} images
 * @param negativePrompt what guidance leads away from; may be empty; without guidance it has no effect
 * @param guidanceScale how strongly to follow the prompt; 1 or less is no guidance, and saves half the work
 * @param steps denoising steps, at least 1
 * @param scheduler one of {@link io.tome4j.diffusion.scheduler.Schedulers#names()}, or {@link #CHECKPOINTS_OWN}
 * @param seed of the initial latents and all later noise: the same as {@code torch.Generator("cpu").manual_seed(seed)}
 * @param width in pixels, a multiple of 8; 0 is the model's own
 * @param height in pixels, a multiple of 8; 0 is the model's own
 * @param imagesPerPrompt at least 1
 * @param latents initial latents instead of drawn ones, standard normal, {@code [images, 4, height/8, width/8]}
 */
public record Request(
        List<String> prompts,
        String negativePrompt,
        double guidanceScale,
        int steps,
        String scheduler,
        long seed,
        int width,
        int height,
        int imagesPerPrompt,
        Optional<Latents> latents) {

    /** The scheduler that the checkpoint brings. */
    public static final String CHECKPOINTS_OWN = "";

    /** Pixels of a latent, in each direction. */
    public static final int PIXELS_PER_LATENT = 8;

    /**
     * @throws IllegalArgumentException if a value is out of its range; the message names it
     */
    public Request {
        prompts = List.copyOf(prompts);
        require(!prompts.isEmpty(), "There is no prompt: give at least one");
        require(steps >= 1, "steps is " + steps + ": at least 1 denoising step is needed; 20 is a good start");
        require(
                Double.isFinite(guidanceScale),
                "guidanceScale is " + guidanceScale + ": it must be a number; 7.5 is usual");
        requireSize("width", width);
        requireSize("height", height);
        require(imagesPerPrompt >= 1, "imagesPerPrompt is " + imagesPerPrompt + ": it must be at least 1");
    }

    private static void requireSize(String name, int pixels) {
        if (pixels < 0 || pixels % PIXELS_PER_LATENT != 0) {
            int below = Math.max(PIXELS_PER_LATENT, pixels / PIXELS_PER_LATENT * PIXELS_PER_LATENT);
            throw new IllegalArgumentException(name + " is " + pixels + ": it must be a multiple of 8, such as " + below
                    + " or " + (below + PIXELS_PER_LATENT));
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /** The defaults of {@code diffusers} (50 steps, guidance scale 7.5), with a seed drawn at random. */
    public static Request of(String... prompts) {
        long seed = ThreadLocalRandom.current().nextLong(1L << 32);
        return new Request(List.of(prompts), "", 7.5, 50, CHECKPOINTS_OWN, seed, 0, 0, 1, Optional.empty());
    }

    public Request prompts(List<String> value) {
        return new Request(
                value, negativePrompt, guidanceScale, steps, scheduler, seed, width, height, imagesPerPrompt, latents);
    }

    public Request negativePrompt(String value) {
        return new Request(
                prompts, value, guidanceScale, steps, scheduler, seed, width, height, imagesPerPrompt, latents);
    }

    public Request guidanceScale(double value) {
        return new Request(
                prompts, negativePrompt, value, steps, scheduler, seed, width, height, imagesPerPrompt, latents);
    }

    public Request steps(int value) {
        return new Request(
                prompts,
                negativePrompt,
                guidanceScale,
                value,
                scheduler,
                seed,
                width,
                height,
                imagesPerPrompt,
                latents);
    }

    public Request scheduler(String value) {
        return new Request(
                prompts, negativePrompt, guidanceScale, steps, value, seed, width, height, imagesPerPrompt, latents);
    }

    public Request seed(long value) {
        return new Request(
                prompts,
                negativePrompt,
                guidanceScale,
                steps,
                scheduler,
                value,
                width,
                height,
                imagesPerPrompt,
                latents);
    }

    /** Width and height in pixels. */
    public Request size(int newWidth, int newHeight) {
        return new Request(
                prompts,
                negativePrompt,
                guidanceScale,
                steps,
                scheduler,
                seed,
                newWidth,
                newHeight,
                imagesPerPrompt,
                latents);
    }

    public Request imagesPerPrompt(int value) {
        return new Request(
                prompts, negativePrompt, guidanceScale, steps, scheduler, seed, width, height, value, latents);
    }

    public Request latents(Latents value) {
        return new Request(
                prompts,
                negativePrompt,
                guidanceScale,
                steps,
                scheduler,
                seed,
                width,
                height,
                imagesPerPrompt,
                Optional.of(value));
    }

    /** Images in all. */
    public int images() {
        return prompts.size() * imagesPerPrompt;
    }

    /** Whether each step runs with and without the prompt. */
    public boolean isGuided() {
        return guidanceScale > 1;
    }

    /**
     * The size in latents.
     *
     * @param modelsOwn the model's own size, for where none was asked for
     */
    public TokenGrid latentGrid(TokenGrid modelsOwn) {
        return new TokenGrid(
                height == 0 ? modelsOwn.height() : height / PIXELS_PER_LATENT,
                width == 0 ? modelsOwn.width() : width / PIXELS_PER_LATENT);
    }
}
