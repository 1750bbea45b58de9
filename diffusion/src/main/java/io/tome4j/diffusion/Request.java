package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.OptionValues;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * What to draw. Immutable: each method that takes a value gives a new request.
 *
 * <pre>{@code
 * Request.of("a red apple").negativePrompt("blurry").seed(42).steps(20).merging(ToMeOptions.ratio(0.5))
 * }</pre>
 *
 * A new option is a line of the table below and an accessor.
 */
public final class Request {
    /** The scheduler that the checkpoint brings. */
    public static final String CHECKPOINTS_OWN = "";

    /** Pixels of a latent, in each direction. */
    public static final int PIXELS_PER_LATENT = 8;

    /** Pixels along a side, at most: what is larger has more latents than can be counted. */
    private static final int LARGEST = 1 << 18;

    private static final int MOST_IMAGES = 10_000;

    /** Characters of a prompt, at most: models see a few hundred, and tokenizers take hundreds of bytes for each. */
    public static final int LONGEST_PROMPT = 1 << 19;

    public static final Option<String> NEGATIVE_PROMPT = Option.of("negative_prompt", "")
            .titled("Negative prompt")
            .described("PROMPT", "What guidance leads away from.")
            .allowing(
                    prompt -> prompt.length() <= LONGEST_PROMPT,
                    "it may have at most " + LONGEST_PROMPT + " characters");

    public static final Option<Integer> STEPS = Option.of("num_inference_steps", 50)
            .titled("Steps")
            .described("Denoising steps.")
            .allowing(steps -> steps >= 1, "at least 1 denoising step is needed; 20 is a good start");

    public static final Option<Double> GUIDANCE_SCALE = Option.of("guidance_scale", 7.5)
            .titled("CFG scale")
            .described("SCALE", "How strongly to follow the prompt; 1 or less is no guidance.")
            .allowing(scale -> Double.isFinite(scale), "it must be a number; 7.5 is usual");

    public static final Option<String> SCHEDULER = Option.of("scheduler", CHECKPOINTS_OWN)
            .titled("Sampler")
            .described("NAME", "Which solver takes the steps: " + String.join(", ", Schedulers.names()) + ".");

    public static final Option<Long> SEED =
            Option.of("seed", 0L).titled("Seed").described("The same seed gives the same image.");

    public static final Option<Integer> WIDTH =
            Option.of("width", 0).titled("Width").described("PIXELS", "A multiple of 8.");

    public static final Option<Integer> HEIGHT =
            Option.of("height", 0).titled("Height").described("PIXELS", "A multiple of 8.");

    public static final Option<Integer> IMAGES_PER_PROMPT = Option.of("num_images_per_prompt", 1)
            .titled("Batch size")
            .described("Images to make, in one batch.")
            .allowing(
                    count -> count >= 1 && count <= MOST_IMAGES,
                    "it must be from 1 to " + MOST_IMAGES + "; make several requests for more");

    /** All options, in the order to show them. */
    public static final List<Option<?>> OPTIONS =
            List.of(NEGATIVE_PROMPT, STEPS, GUIDANCE_SCALE, SCHEDULER, SEED, WIDTH, HEIGHT, IMAGES_PER_PROMPT);

    private final List<String> prompts;
    private final OptionValues values;
    private final Start start;
    private final Optional<ToMeOptions> merging;

    private Request(List<String> prompts, OptionValues values, Start start, Optional<ToMeOptions> merging) {
        this.prompts = List.copyOf(prompts);
        this.values = values;
        this.start = start;
        this.merging = merging;
        if (prompts.isEmpty()) {
            throw new OptionException("{prompt} is missing: give at least one");
        }
        for (String prompt : prompts) {
            if (prompt.length() > LONGEST_PROMPT) {
                throw new OptionException(
                        "{prompt} has " + prompt.length() + " characters: it may have at most " + LONGEST_PROMPT);
            }
        }
        if ((long) prompts.size() * imagesPerPrompt() > MOST_IMAGES) {
            throw new OptionException(
                    "{num_images_per_prompt} is " + imagesPerPrompt() + " and there are " + prompts.size()
                            + " prompts: that are more than " + MOST_IMAGES + " images; make several requests");
        }
    }

    /** The defaults of {@code diffusers} (50 steps, guidance scale 7.5), with a seed drawn at random. */
    public static Request of(String... prompts) {
        long seed = ThreadLocalRandom.current().nextLong(1L << 32);
        return new Request(List.of(prompts), OptionValues.DEFAULTS, Start.noise(), Optional.empty()).seed(seed);
    }

    /** What an option is. */
    public <T> T get(Option<T> option) {
        return values.get(option);
    }

    /**
     * The same with one option chosen anew.
     *
     * @throws OptionException if the value is out of its range
     */
    public <T> Request with(Option<T> option, T value) {
        if (option.equals(WIDTH) || option.equals(HEIGHT)) {
            requireSize(option, (Integer) value);
        }
        OptionValues changed =
                value.equals(option.defaultValue()) ? values.without(option) : values.with(option, value);
        return new Request(prompts, changed, start, merging);
    }

    private static void requireSize(Option<?> option, int pixels) {
        if (pixels > LARGEST) {
            throw new OptionException("{" + option.name() + "} is " + pixels + ": it must be at most " + LARGEST);
        }
        if (pixels < 0 || pixels % PIXELS_PER_LATENT != 0) {
            int below = Math.max(PIXELS_PER_LATENT, pixels / PIXELS_PER_LATENT * PIXELS_PER_LATENT);
            throw new OptionException("{" + option.name() + "} is " + pixels + ": it must be a multiple of 8, such as "
                    + below + " or " + (below + PIXELS_PER_LATENT));
        }
    }

    /** What to draw, one or more; each gives {@link #imagesPerPrompt} images. */
    public List<String> prompts() {
        return prompts;
    }

    public Request prompts(List<String> value) {
        return new Request(value, values, start, merging);
    }

    /** What guidance leads away from; may be empty; without guidance it has no effect. */
    public String negativePrompt() {
        return get(NEGATIVE_PROMPT);
    }

    public Request negativePrompt(String value) {
        return with(NEGATIVE_PROMPT, value);
    }

    /** How strongly to follow the prompt; 1 or less is no guidance, and saves half the work. */
    public double guidanceScale() {
        return get(GUIDANCE_SCALE);
    }

    public Request guidanceScale(double value) {
        return with(GUIDANCE_SCALE, value);
    }

    /** Denoising steps, at least 1. */
    public int steps() {
        return get(STEPS);
    }

    public Request steps(int value) {
        return with(STEPS, value);
    }

    /** One of {@link io.tome4j.diffusion.scheduler.Schedulers#names()}, or {@link #CHECKPOINTS_OWN}. */
    public String scheduler() {
        return get(SCHEDULER);
    }

    public Request scheduler(String value) {
        return with(SCHEDULER, value);
    }

    /** Of the initial latents and all later noise: the same as {@code torch.Generator("cpu").manual_seed(seed)}. */
    public long seed() {
        return get(SEED);
    }

    public Request seed(long value) {
        return with(SEED, value);
    }

    /** Width in pixels, a multiple of 8; 0 is the model's own. */
    public int width() {
        return get(WIDTH);
    }

    /** Height in pixels, a multiple of 8; 0 is the model's own. */
    public int height() {
        return get(HEIGHT);
    }

    /** Width and height in pixels. */
    public Request size(int width, int height) {
        return with(WIDTH, width).with(HEIGHT, height);
    }

    /** At least 1. */
    public int imagesPerPrompt() {
        return get(IMAGES_PER_PROMPT);
    }

    public Request imagesPerPrompt(int value) {
        return with(IMAGES_PER_PROMPT, value);
    }

    /** What denoising begins with. */
    public Start start() {
        return start;
    }

    public Request start(Start value) {
        return new Request(prompts, values, value, merging);
    }

    /** Begins with these latents: as {@code start(Start.from(value))}. */
    public Request latents(Latents value) {
        return start(Start.from(value));
    }

    /**
     * How to merge tokens, or {@link ToMeOptions#NONE}; empty for what the pipeline is
     * {@linkplain io.tome4j.merging.ToMe#applyPatch patched} with when the run starts.
     */
    public Optional<ToMeOptions> merging() {
        return merging;
    }

    /** Merges so, whatever the pipeline is patched with. */
    public Request merging(ToMeOptions value) {
        return new Request(prompts, values, start, Optional.of(value.merges() ? value : ToMeOptions.NONE));
    }

    /** Images in all. */
    public int images() {
        return prompts.size() * imagesPerPrompt();
    }

    /**
     * The size in latents.
     *
     * @param modelsOwn the model's own size, for where none was asked for
     */
    public TokenGrid latentGrid(TokenGrid modelsOwn) {
        return new TokenGrid(
                height() == 0 ? modelsOwn.height() : height() / PIXELS_PER_LATENT,
                width() == 0 ? modelsOwn.width() : width() / PIXELS_PER_LATENT);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Request request
                && request.prompts.equals(prompts)
                && request.values.equals(values)
                && request.start.equals(start)
                && request.merging.equals(merging);
    }

    @Override
    public int hashCode() {
        return Objects.hash(prompts, values, start, merging);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Request ").append(prompts);
        OPTIONS.stream()
                .filter(values::has)
                .forEach(option ->
                        text.append(' ').append(option.name()).append('=').append(get(option)));
        merging.ifPresent(options -> text.append(" merging: ").append(options.identity()));
        return text.append(start.equals(Start.noise()) ? "" : " with a start").toString();
    }
}
