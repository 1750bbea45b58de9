package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.Emphasis;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.SchedulerSettings;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.diffusion.scheduler.SpacingChoice;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.OptionValues;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
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
    private static final String A_SHARE = "it is a share of the steps, from 0 to 1";

    /** Characters of a prompt, at most: models see a few hundred, and tokenizers take hundreds of bytes for each. */
    public static final int LONGEST_PROMPT = 1 << 19;

    private static final String TOO_LONG = "it may have at most " + LONGEST_PROMPT + " characters";

    public static final Option<String> NEGATIVE_PROMPT = Option.of("negative_prompt", "")
            .titled("Negative prompt")
            .described("PROMPT", "What guidance leads away from; to SDXL an empty one is another than none.")
            .allowing(Request::isNotTooLong, TOO_LONG);

    public static final Option<String> PROMPT_2 = Option.of("prompt_2", "")
            .titled("Prompt 2")
            .described("PROMPT", "What SDXL's second text encoder sees; otherwise the prompt.")
            .allowing(Request::isNotTooLong, TOO_LONG);

    public static final Option<String> NEGATIVE_PROMPT_2 = Option.of("negative_prompt_2", "")
            .titled("Negative prompt 2")
            .described("PROMPT", "The negative prompt of SDXL's second text encoder; otherwise the first's.")
            .allowing(Request::isNotTooLong, TOO_LONG);

    public static final Option<PromptSyntax> PROMPT_SYNTAX = Option.of("prompt_syntax", PromptSyntax.PLAIN)
            .titled("Prompt syntax")
            .described("How prompts are read: as they stand, with the web UI's weights, AND, BREAK, [from:to:when] and"
                    + " [a|b], at any length, or with compel's weights, and() and blend().");

    public static final Option<Emphasis> EMPHASIS = Option.of("emphasis", Emphasis.ORIGINAL)
            .titled("Emphasis")
            .described("What a weight in a prompt of the syntax a1111 does: what the web UI calls so.");

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

    public static final Option<Long> SEED = Option.of("seed", 0L)
            .titled("Seed")
            .described("The same seed gives the same image; up to 2^64 - 1, which is -1.");

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

    public static final Option<Boolean> SEED_PER_IMAGE = Option.of("seed_per_image", false)
            .titled("Seed per image")
            .described(
                    "Make each image by itself, with a seed of its own: the first has the seed, the next one more, and so"
                            + " on. So any of them can be made again alone.");

    public static final Option<Double> GUIDANCE_FROM = Option.of("guidance_from", 0.0)
            .titled("Guidance from")
            .described(
                    "SHARE",
                    "Where guidance begins, as a share of the steps; before, steps take half the time and follow the"
                            + " prompt alone.")
            .allowing(Request::isShare, A_SHARE);

    public static final Option<Double> GUIDANCE_TO = Option.of("guidance_to", 1.0)
            .titled("Guidance to")
            .described("SHARE", "Where guidance ends, as a share of the steps.")
            .allowing(Request::isShare, A_SHARE);

    public static final Option<Double> GUIDANCE_RESCALE = Option.of("guidance_rescale", 0.0)
            .titled("CFG rescale")
            .described(
                    "SHARE",
                    "How far the contrast that guidance adds is taken back, from 0 to 1; 0.7 is usual where images are"
                            + " overexposed.")
            .allowing(Request::isShare, "it is a share from 0, which is off, to 1; 0.7 is usual");

    public static final Option<Double> REFINER_START = Option.of("refiner_start", 0.8)
            .titled("Refiner switch at")
            .described("SHARE", "Where the refiner takes over, as a share of the noise that is gone.")
            .allowing(share -> share > 0 && share < 1, "it is a share between 0 and 1; 0.8 is usual");

    public static final Option<Integer> REUSE_EVERY = Option.of("reuse_every", 1)
            .titled("Reuse every")
            .described("STEPS", "How many steps share the deep features of one; 1 is no reuse.")
            .allowing(steps -> steps >= 1, "it must be at least 1, which is no reuse");

    public static final Option<Integer> REUSE_BRANCH = Option.of("reuse_branch", 0)
            .titled("Reuse branch")
            .described("Where deep features begin: 0 saves most time, greater numbers change the image less.")
            .allowing(branch -> branch >= 0, "it must be at least 0, the branch that saves most");

    public static final Option<ReuseSchedule.Spacing> REUSE_SCHEDULE = Option.of(
                    "reuse_schedule", ReuseSchedule.Spacing.UNIFORM)
            .titled("Reuse schedule")
            .described("How the steps that compute all lie among the others: evenly, or denser around a center.");

    public static final Option<Double> REUSE_CENTER = Option.of("reuse_center", 0.3)
            .titled("Reuse center")
            .described("SHARE", "Where they are densest with a non-uniform schedule, as a share of the steps.")
            .allowing(Request::isShare, A_SHARE);

    public static final Option<Double> REUSE_POWER = Option.of("reuse_power", 1.4)
            .titled("Reuse power")
            .described("POWER", "How much denser they are there, from 1 to 2; 1 is evenly.")
            .allowing(power -> power >= 1 && power <= 2, "it must be from 1, which is evenly, to 2; 1.4 is usual");

    public static final Option<Double> ETA = Option.of("eta", 0.0)
            .titled("Eta")
            .described("SHARE", "Fresh noise in each step, for the schedulers ddim and tcd: from 0, none, to 1.")
            .allowing(Request::isShare, A_SHARE);

    public static final Option<ScheduleType> SCHEDULE_TYPE = Option.of("schedule_type", ScheduleType.AUTO)
            .titled("Schedule type")
            .described(
                    "How noise levels are spaced, whatever the checkpoint says: diffusers' use_karras_sigmas and so on.");

    public static final Option<SpacingChoice> TIMESTEP_SPACING = Option.of("timestep_spacing", SpacingChoice.AUTO)
            .titled("Timestep spacing")
            .described("Which of the model's timesteps are visited, whatever the checkpoint says; few-step models want"
                    + " trailing.");

    public static final Option<String> TIMESTEPS = Option.of("timesteps", "")
            .titled("Timesteps")
            .described(
                    "T,T,...",
                    "The timesteps themselves, falling, in place of a number of steps: what some few-step models were"
                            + " distilled at.")
            .allowing(StepLists::areTimesteps, StepLists.TIMESTEPS_RULE);

    public static final Option<String> SIGMAS = Option.of("sigmas", "")
            .titled("Sigmas")
            .described(
                    "SIGMA,SIGMA,...",
                    "The noise levels themselves, falling, with the one at the end (0), in place of a number of steps.")
            .allowing(StepLists::areSigmas, StepLists.SIGMAS_RULE);

    public static final Option<Integer> CLIP_SKIP = Option.of("clip_skip", 0)
            .titled("Clip skip")
            .described(
                    "LAYERS",
                    "How many of the text encoder's last layers to leave out, as diffusers counts. The web UI counts one"
                            + " more: its Clip skip 2 is 1 here. SDXL leaves out one anyway, so that 0 is what its models"
                            + " want.")
            .allowing(layers -> layers >= 0, "it must be at least 0, which leaves out none");

    /** What fits the task: {@link #strengthToRun}. */
    static final double USUAL_STRENGTH = -1;

    public static final Option<Double> STRENGTH = Option.of("strength", USUAL_STRENGTH)
            .titled("Denoising strength")
            .described(
                    "SHARE",
                    "How much of the initial image is made anew, from 0 to 1: the share of the steps that is run.")
            .allowing(
                    strength -> strength == USUAL_STRENGTH || isShare(strength),
                    "it must be above 0 and at most 1; " + USUAL_STRENGTH + " is what suits the task");

    public static final Option<Double> MASK_BLUR = Option.of("mask_blur", 0.0)
            .titled("Mask blur")
            .described("PIXELS", "How far the mask is blurred before it is used.")
            .allowing(blur -> blur >= 0 && blur <= 1024, "it must be from 0, which is not at all, to 1024 pixels");

    public static final Option<Integer> PADDING_MASK_CROP = Option.of("padding_mask_crop", -1)
            .titled("Masked area padding")
            .described(
                    "PIXELS",
                    "Work on the masked part alone, with so many pixels around it, at the whole size; -1 is on all of the"
                            + " image.")
            .allowing(padding -> padding >= -1 && padding <= LARGEST, "it must be at least 0; -1 is all of the image");

    public static final Option<Boolean> PASTE_BACK = Option.of("paste_back", true)
            .titled("Paste back")
            .described(
                    "Put what the mask leaves alone back from the initial image; otherwise the VAE changes it a little.");

    public static final Option<String> EXTEND = Option.of("extend", "")
            .titled("Extend")
            .described("LEFT,TOP,RIGHT,BOTTOM", "Paint so many pixels anew around the initial image.")
            .allowing(Extension::isOne, "it must be four numbers of pixels, such as 64,0,64,0");

    public static final Option<Boolean> PROTECT_REPAINTED = Option.of("protect_repainted", true)
            .titled("Protect repainted")
            .described("With a mask, do not merge tokens of what is repainted.");

    /** Options that mean something only where a run begins with an image. */
    public static final List<Option<?>> OF_INITIAL_IMAGE =
            List.of(STRENGTH, MASK_BLUR, PADDING_MASK_CROP, PASTE_BACK, EXTEND, PROTECT_REPAINTED);

    public static final Option<Double> HIRES = Option.of("hires", 1.0)
            .titled("Hires upscale")
            .described(
                    "FACTOR", "Enlarge the image by this factor and go over it in a second pass; 1 is no second pass.")
            .allowing(factor -> factor >= 1 && factor <= 8, "it must be from 1, which is no second pass, to 8");

    public static final Option<String> HIRES_UPSCALER = Option.of("hires_upscaler", Upscaler.LATENT.id())
            .titled("Hires upscaler")
            .described(
                    "NAME|FILE",
                    "What enlarges: latents (latent, latent_antialiased, latent_bicubic, latent_bicubic_antialiased,"
                            + " latent_nearest, latent_nearest_exact) or, by way of pixels, the image (lanczos, bicubic,"
                            + " bilinear, box, nearest, or an ESRGAN in a safetensors file).")
            .allowing(text -> !text.isBlank(), "it must be a name or a file");

    public static final Option<Integer> HIRES_STEPS = Option.of("hires_steps", 0)
            .titled("Hires steps")
            .described("Steps of the second pass; 0 is as many as the first.")
            .allowing(steps -> steps >= 0, "it must be at least 0, which is as many as the first pass");

    public static final Option<Double> HIRES_STRENGTH = Option.of("hires_strength", 0.7)
            .titled("Hires denoising strength")
            .described(
                    "SHARE",
                    "How much the second pass makes anew, above 0; enlarged latents need 0.5 and more, or stay blurred.")
            .allowing(strength -> strength > 0 && strength <= 1, "it must be above 0 and at most 1");

    /** The second pass merges as the first. */
    static final double FIRST_PASS_RATIO = -1;

    public static final Option<Double> HIRES_RATIO = Option.of("hires_ratio", FIRST_PASS_RATIO)
            .titled("Token merging ratio hr")
            .described(
                    "SHARE",
                    "Share of tokens to merge away in the second pass, which has most of them; -1 is as in the first.")
            .allowing(
                    ratio -> ratio == FIRST_PASS_RATIO || isShare(ratio),
                    "it is the share of tokens to merge away, from 0 (none) to 1; -1 is as in the first pass");

    /** Options that mean something only where there is a second pass. */
    public static final List<Option<?>> OF_SECOND_PASS =
            List.of(HIRES_UPSCALER, HIRES_STEPS, HIRES_STRENGTH, HIRES_RATIO);

    public static final Option<Boolean> GUESS_MODE = Option.of("guess_mode", false)
            .titled("Guess mode")
            .described(
                    "ControlNets see the image without the prompt's opposite, and shallow features count less: for a weak"
                            + " prompt, or none.");

    public static final Option<Boolean> MERGE_CONTROLNET = Option.of("merge_controlnet", false)
            .titled("Merge ControlNet")
            .described("Merge tokens in ControlNets' own transformer blocks, too.");

    /** What a model's family may have its own default for, so that choosing the table's is a choice. */
    private static final Set<Option<?>> DEFAULTS_BY_FAMILY = Set.of(NEGATIVE_PROMPT, GUIDANCE_SCALE, REFINER_START);

    /** All options, in the order to show them. */
    public static final List<Option<?>> OPTIONS = allOptions(
            NEGATIVE_PROMPT,
            PROMPT_2,
            NEGATIVE_PROMPT_2,
            PROMPT_SYNTAX,
            EMPHASIS,
            STEPS,
            GUIDANCE_SCALE,
            GUIDANCE_RESCALE,
            GUIDANCE_FROM,
            GUIDANCE_TO,
            REFINER_START,
            SCHEDULER,
            SCHEDULE_TYPE,
            TIMESTEP_SPACING,
            TIMESTEPS,
            SIGMAS,
            ETA,
            CLIP_SKIP,
            SEED,
            WIDTH,
            HEIGHT,
            IMAGES_PER_PROMPT,
            SEED_PER_IMAGE,
            REUSE_EVERY,
            REUSE_BRANCH,
            REUSE_SCHEDULE,
            REUSE_CENTER,
            REUSE_POWER,
            STRENGTH,
            MASK_BLUR,
            PADDING_MASK_CROP,
            PASTE_BACK,
            EXTEND,
            PROTECT_REPAINTED,
            HIRES,
            HIRES_UPSCALER,
            HIRES_STEPS,
            HIRES_STRENGTH,
            HIRES_RATIO,
            GUESS_MODE,
            MERGE_CONTROLNET);

    private static List<Option<?>> allOptions(Option<?>... options) {
        return Stream.concat(Stream.of(options), MicroConditioning.OPTIONS.stream())
                .toList();
    }

    private final List<String> prompts;
    private final OptionValues values;
    private final Start start;
    private final Optional<ToMeOptions> merging;
    private final List<Lora> loras;
    private final List<Embedding> embeddings;
    private final Guides guides;
    private final Optional<SourceImage> protection;

    private Request(
            List<String> prompts,
            OptionValues values,
            Start start,
            Optional<ToMeOptions> merging,
            List<Lora> loras,
            List<Embedding> embeddings,
            Guides guides,
            Optional<SourceImage> protection) {
        this.prompts = List.copyOf(prompts);
        this.values = values;
        this.start = start;
        this.merging = merging;
        this.loras = List.copyOf(loras);
        this.embeddings = List.copyOf(embeddings);
        this.guides = guides;
        this.protection = protection;
        if (prompts.isEmpty()) {
            throw new OptionException("{prompt} is missing: give at least one");
        }
        for (String prompt : prompts) {
            if (prompt.length() > LONGEST_PROMPT) {
                throw new OptionException(
                        "{prompt} has " + prompt.length() + " characters: it may have at most " + LONGEST_PROMPT);
            }
        }
        int listed = StepLists.steps(timesteps(), sigmas());
        if (listed > 0 && listed != steps()) {
            throw new OptionException("{num_inference_steps} is " + steps() + ", and {timesteps} or {sigmas} say "
                    + listed + " steps: leave one of both out");
        }
        if (listed > 0 && hires() > 1) {
            throw new OptionException(
                    "{hires} takes steps of its own, which {timesteps} and {sigmas} do not have: leave"
                            + " one of both out");
        }
        schedulerSettings();
        if (hires() > 1 && start instanceof ImageStart image && image.mask().isPresent()) {
            throw new OptionException("{hires} goes over all of the image again: it does not go with {mask}");
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
        return new Request(
                        List.of(prompts),
                        OptionValues.DEFAULTS,
                        Start.noise(),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        Guides.NONE,
                        Optional.empty())
                .seed(seed);
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
        if (option.equals(HIRES_UPSCALER) && !Upscaler.canonical((String) value).equals(value)) {
            return with(HIRES_UPSCALER, Upscaler.canonical((String) value));
        }
        boolean asIfNotChosen = value.equals(option.defaultValue()) && !DEFAULTS_BY_FAMILY.contains(option);
        OptionValues changed = asIfNotChosen ? values.without(option) : values.with(option, value);
        if ((option.equals(TIMESTEPS) || option.equals(SIGMAS)) && !asIfNotChosen) {
            int listed = StepLists.steps(changed.get(TIMESTEPS), changed.get(SIGMAS));
            changed = listed == STEPS.defaultValue() ? changed.without(STEPS) : changed.with(STEPS, listed);
        }
        return new Request(prompts, changed, start, merging, loras, embeddings, guides, protection);
    }

    /** As {@link #with(Option, Object)}, with the value as {@link Option#format} writes it. */
    public <T> Request withText(Option<T> option, String text) {
        return with(option, option.parse(text));
    }

    /** Whether an option has its default. */
    public boolean isUsual(Option<?> option) {
        return get(option).equals(option.defaultValue());
    }

    /**
     * Whether an option was chosen. What was not is up to the model where its family has another default: without a negative
     * prompt SDXL sees zeros, with an empty one the empty text; its guidance scale is 5.
     */
    public boolean isChosen(Option<?> option) {
        return values.has(option);
    }

    /** What an option is, as {@link Option#format} writes it. */
    public <T> String text(Option<T> option) {
        return option.format(get(option));
    }

    private static boolean isNotTooLong(String prompt) {
        return prompt.length() <= LONGEST_PROMPT;
    }

    private static boolean isShare(double value) {
        return value >= 0 && value <= 1;
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
        return new Request(value, values, start, merging, loras, embeddings, guides, protection);
    }

    /** What guidance leads away from; may be empty; without guidance it has no effect. */
    public String negativePrompt() {
        return get(NEGATIVE_PROMPT);
    }

    public Request negativePrompt(String value) {
        return with(NEGATIVE_PROMPT, value);
    }

    /** How prompts are read. */
    public PromptSyntax promptSyntax() {
        return get(PROMPT_SYNTAX);
    }

    /** Reads prompts so; plain text is usual. */
    public Request promptSyntax(PromptSyntax value) {
        return with(PROMPT_SYNTAX, value);
    }

    /** What a weight in a prompt does; has no effect on plain ones. */
    public Emphasis emphasis() {
        return get(EMPHASIS);
    }

    public Request emphasis(Emphasis value) {
        return with(EMPHASIS, value);
    }

    /** How strongly to follow the prompt; 1 or less is no guidance, and saves half the work. */
    public double guidanceScale() {
        return get(GUIDANCE_SCALE);
    }

    public Request guidanceScale(double value) {
        return with(GUIDANCE_SCALE, value);
    }

    /** How far the contrast that guidance adds is taken back, in [0, 1] (arXiv 2305.08891, section 3.4). */
    public double guidanceRescale() {
        return get(GUIDANCE_RESCALE);
    }

    public Request guidanceRescale(double value) {
        return with(GUIDANCE_RESCALE, value);
    }

    /** Where guidance begins, as a share of the steps. */
    public double guidanceFrom() {
        return get(GUIDANCE_FROM);
    }

    /** Where guidance ends, as a share of the steps. */
    public double guidanceTo() {
        return get(GUIDANCE_TO);
    }

    /**
     * Guidance in a part of the steps alone (arXiv 2404.07724): the others take half the time.
     *
     * @param from in [0, 1], a share of the steps
     * @param to likewise; above {@code from}, or a run will not start
     */
    public Request guidanceInterval(double from, double to) {
        return with(GUIDANCE_FROM, from).with(GUIDANCE_TO, to);
    }

    /** Where a refiner takes over, between 0 and 1: a share of the model's training timesteps. */
    public double refinerStart() {
        return get(REFINER_START);
    }

    public Request refinerStart(double value) {
        return with(REFINER_START, value);
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

    /** How noise levels are spaced. */
    public ScheduleType scheduleType() {
        return get(SCHEDULE_TYPE);
    }

    /** A scheduler that has no such spacing will not start. */
    public Request scheduleType(ScheduleType value) {
        return with(SCHEDULE_TYPE, value);
    }

    /** Which of the model's timesteps are visited. */
    public SpacingChoice timestepSpacing() {
        return get(TIMESTEP_SPACING);
    }

    /** A scheduler that has timesteps of its own will not start. */
    public Request timestepSpacing(SpacingChoice value) {
        return with(TIMESTEP_SPACING, value);
    }

    /** The run's own timesteps, {@code T,T,...}; empty for spaced ones. */
    public String timesteps() {
        return get(TIMESTEPS);
    }

    /**
     * Visits these timesteps, and takes as many steps: as {@code timesteps=} in diffusers.
     *
     * @param values falling, from 0 to what the model knows (mostly 999); none for spaced ones
     */
    public Request timesteps(int... values) {
        return with(TIMESTEPS, StepLists.text(values));
    }

    /** The run's own noise levels, {@code SIGMA,SIGMA,...}; empty for spaced ones. */
    public String sigmas() {
        return get(SIGMAS);
    }

    /**
     * Goes by these noise levels, and takes one step less than they are: as {@code sigmas=} in diffusers.
     *
     * @param values falling, above 0 but for the last, which is where the run ends; none for spaced ones
     */
    public Request sigmas(double... values) {
        return with(SIGMAS, StepLists.text(values));
    }

    /** What goes before the checkpoint's settings of a scheduler. */
    SchedulerSettings schedulerSettings() {
        return new SchedulerSettings(
                scheduleType(), timestepSpacing(), StepLists.timesteps(timesteps()), StepLists.sigmas(sigmas()));
    }

    /** The share of fresh noise in each step of the schedulers {@code ddim} and {@code tcd}, in [0, 1]. */
    public double eta() {
        return get(ETA);
    }

    public Request eta(double value) {
        return with(ETA, value);
    }

    /** How many of the text encoder's last layers are left out, as diffusers counts. */
    public int clipSkip() {
        return get(CLIP_SKIP);
    }

    /**
     * Leaves out the last layers of the text encoder; its final layer norm comes after those that are left. With {@link
     * PromptSyntax#PLAIN} the negative prompt is encoded by all layers, as diffusers does; with that of the web UI both
     * are encoded alike.
     */
    public Request clipSkip(int layers) {
        return with(CLIP_SKIP, layers);
    }

    /** Of the initial latents and all later noise: the same as {@code torch.Generator("cpu").manual_seed(seed)}. */
    public long seed() {
        return get(SEED);
    }

    /** The seed as images and JSON have it: without a sign, from 0 to 2<sup>64</sup> - 1, where -1 is the last. */
    public BigInteger unsignedSeed() {
        return new BigInteger(SEED.format(seed()));
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

    /** Whether each image is made by itself, with a seed of its own. */
    public boolean seedPerImage() {
        return get(SEED_PER_IMAGE);
    }

    /**
     * Makes each image by itself, with a seed of its own: image <i>i</i> is what a request for one image with the seed
     * {@code seed() + i} (modulo 2<sup>64</sup>) gives, to the bit, and its parameters say so. Otherwise all images are made
     * in one batch from one seed, as {@code diffusers} does with one generator.
     */
    public Request seedPerImage(boolean value) {
        return with(SEED_PER_IMAGE, value);
    }

    /** How many steps share the deep features of one, at least 1, which is no reuse. */
    public int reuseEvery() {
        return get(REUSE_EVERY);
    }

    /**
     * Reuses deep features of the denoiser between steps (DeepCache, arXiv 2312.00858). Steps are counted by a timestep's
     * first place among the scheduler's, as there; with Heun's method, which calls the model twice at most of them, such
     * places after the first are odd, so that only odd intervals compute features more than once.
     *
     * @param steps how many share the features of one; 1 is no reuse
     */
    public Request reuseEvery(int steps) {
        return with(REUSE_EVERY, steps);
    }

    /** Where deep features begin; 0 saves most. */
    public int reuseBranch() {
        return get(REUSE_BRANCH);
    }

    /** A model has three branches a level of its UNet; a run with one that it does not have will not start. */
    public Request reuseBranch(int value) {
        return with(REUSE_BRANCH, value);
    }

    /** How the steps that compute all lie among the others. */
    public ReuseSchedule.Spacing reuseSchedule() {
        return get(REUSE_SCHEDULE);
    }

    public Request reuseSchedule(ReuseSchedule.Spacing value) {
        return with(REUSE_SCHEDULE, value);
    }

    /** Where the steps that compute all are densest with a non-uniform schedule, as a share of the steps. */
    public double reuseCenter() {
        return get(REUSE_CENTER);
    }

    public Request reuseCenter(double value) {
        return with(REUSE_CENTER, value);
    }

    /** How much denser they are there, from 1, which is evenly, to 2. */
    public double reusePower() {
        return get(REUSE_POWER);
    }

    public Request reusePower(double value) {
        return with(REUSE_POWER, value);
    }

    /** Whether some steps leave out work that others do: reuse features, or are not guided. */
    public boolean leavesOutWork() {
        return reuseEvery() > 1 || guidanceFrom() > 0 || guidanceTo() < 1;
    }

    /** What denoising begins with. */
    public Start start() {
        return start;
    }

    /** Begins so; an {@link ImageStart} brings its strength with it. */
    public Request start(Start value) {
        return value.in(new Request(prompts, values, value, merging, loras, embeddings, guides, protection));
    }

    /** How much of an initial image is made anew, in (0, 1]; -1 is what suits the task. */
    public double strength() {
        return get(STRENGTH);
    }

    public Request strength(double value) {
        return with(STRENGTH, value);
    }

    /** Whether a part of an initial image is made anew, or what is around it, and the rest stays. */
    boolean repaints() {
        return start instanceof ImageStart image && (image.mask().isPresent() || !extend().isEmpty());
    }

    /**
     * The strength that a run has where it begins with an image. If nobody says, that of Stable Diffusion 1 and 2, which is no
     * lower than other families': a model knows its own.
     */
    double strengthToRun() {
        if (strength() != USUAL_STRENGTH) {
            return strength();
        }
        return repaints()
                ? FamilyDefaults.STABLE_DIFFUSION.inpaintingStrength()
                : FamilyDefaults.STABLE_DIFFUSION.strength();
    }

    /** Denoising steps that are really run: fewer where a run begins with an image. */
    public int stepsToRun() {
        return start instanceof ImageStart ? (int) Math.min(strengthToRun() * steps(), steps()) : steps();
    }

    /**
     * Finds out whether an initial image leaves a step to run.
     *
     * @throws OptionException if not; it says the smallest strength that does
     */
    public void requireStrength() {
        if (start instanceof ImageStart) {
            Scheduler.requireStrength(steps(), strengthToRun());
        }
    }

    /** How much larger the second pass is than the first; 1 is no second pass. */
    public double hires() {
        return get(HIRES);
    }

    /** Goes over the image a second time, enlarged by this factor ("hires fix"). */
    public Request hires(double factor) {
        return with(HIRES, factor);
    }

    /** What enlarges the image between the passes: the {@linkplain Upscaler#id id} of an upscaler, or a network's file. */
    public String hiresUpscaler() {
        return get(HIRES_UPSCALER);
    }

    public Request hiresUpscaler(Upscaler value) {
        return with(HIRES_UPSCALER, value.id());
    }

    /** Has a network enlarge the image: an ESRGAN in a safetensors file. */
    public Request hiresUpscaler(Path file) {
        return with(HIRES_UPSCALER, file.toString());
    }

    /** Steps of the second pass; 0 is as many as the first. */
    public int hiresSteps() {
        return get(HIRES_STEPS);
    }

    public Request hiresSteps(int value) {
        return with(HIRES_STEPS, value);
    }

    /** How much the second pass makes anew, in (0, 1]. */
    public double hiresStrength() {
        return get(HIRES_STRENGTH);
    }

    public Request hiresStrength(double value) {
        return with(HIRES_STRENGTH, value);
    }

    /** The share of tokens to merge away in the second pass; -1 is as in the first. */
    public double hiresRatio() {
        return get(HIRES_RATIO);
    }

    public Request hiresRatio(double value) {
        return with(HIRES_RATIO, value);
    }

    /** Denoising steps of the second pass; 0 if there is none. */
    public int hiresStepsToRun() {
        return hires() == 1 ? 0 : hiresSteps() == 0 ? steps() : hiresSteps();
    }

    /** The size in latents of the second pass, or, if there is none, of the first. */
    public TokenGrid hiresGrid(TokenGrid first) {
        return new TokenGrid((int) (first.height() * hires()), (int) (first.width() * hires()));
    }

    /** The request of a second pass: with a merging ratio of its own, or as the first was carried out. */
    Request withHiresMerging(Request first) {
        if (hiresRatio() == FIRST_PASS_RATIO) {
            return this;
        }
        return merging(first.merging().orElse(ToMeOptions.NONE).withRatio(hiresRatio()));
    }

    /** The deviation in pixels of the blur that a mask gets, at least 0. */
    public double maskBlur() {
        return get(MASK_BLUR);
    }

    public Request maskBlur(double value) {
        return with(MASK_BLUR, value);
    }

    /** Pixels around the masked part where that alone is worked on; -1 for all of the image. */
    public int paddingMaskCrop() {
        return get(PADDING_MASK_CROP);
    }

    public Request paddingMaskCrop(int value) {
        return with(PADDING_MASK_CROP, value);
    }

    /** Whether what a mask leaves alone comes from the initial image in the end. */
    public boolean pasteBack() {
        return get(PASTE_BACK);
    }

    public Request pasteBack(boolean value) {
        return with(PASTE_BACK, value);
    }

    /** Pixels to paint around the initial image, {@code LEFT,TOP,RIGHT,BOTTOM}; empty for none. */
    public String extend() {
        return get(EXTEND);
    }

    public Request extend(int left, int top, int right, int bottom) {
        return with(EXTEND, left + "," + top + "," + right + "," + bottom);
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
        return new Request(
                prompts,
                values,
                start,
                Optional.of(value.merges() ? value : ToMeOptions.NONE),
                loras,
                embeddings,
                guides,
                protection);
    }

    /** The LoRAs that are added to the model, in this order. */
    public List<Lora> loras() {
        return loras;
    }

    /** Adds these LoRAs to the model, in this order, and no others: those of a request before are gone. */
    public Request loras(List<Lora> value) {
        return new Request(prompts, values, start, merging, value, embeddings, guides, protection);
    }

    /** As {@link #loras(List)}. */
    public Request loras(Lora... value) {
        return loras(List.of(value));
    }

    /** The textual inversions that its prompts may name. */
    public List<Embedding> embeddings() {
        return embeddings;
    }

    /** Prompts may name these textual inversions, and no others but those that LoRAs bring. */
    public Request embeddings(List<Embedding> value) {
        return new Request(prompts, values, start, merging, loras, value, guides, protection);
    }

    /** As {@link #embeddings(List)}. */
    public Request embeddings(Embedding... value) {
        return embeddings(List.of(value));
    }

    /** The ControlNets that steer the images, with the images they go by. */
    public List<Control> controls() {
        return guides.controls();
    }

    /** Steers the images by these, and no others. What several add is summed up. */
    public Request controls(List<Control> value) {
        return guides(guides.controls(value));
    }

    /** As {@link #controls(List)}. */
    public Request controls(Control... value) {
        return controls(List.of(value));
    }

    /** The T2I-Adapters that steer the images, with the images they go by. */
    public List<T2IAdapter> t2iAdapters() {
        return guides.t2iAdapters();
    }

    /** Steers the images by these, and no others. What several add is summed up. */
    public Request t2iAdapters(List<T2IAdapter> value) {
        return guides(guides.t2iAdapters(value));
    }

    /** As {@link #t2iAdapters(List)}. */
    public Request t2iAdapters(T2IAdapter... value) {
        return t2iAdapters(List.of(value));
    }

    /** The IP-Adapters whose images are prompts beside the text. */
    public List<IPAdapter> ipAdapters() {
        return guides.ipAdapters();
    }

    /** Goes by the images of these, and no others. */
    public Request ipAdapters(List<IPAdapter> value) {
        return guides(guides.ipAdapters(value));
    }

    /** As {@link #ipAdapters(List)}. */
    public Request ipAdapters(IPAdapter... value) {
        return ipAdapters(List.of(value));
    }

    /** All networks that guide by images. */
    Guides guides() {
        return guides;
    }

    Request guides(Guides value) {
        return new Request(prompts, values, start, merging, loras, embeddings, value, protection);
    }

    /** Whether ControlNets see just what has the prompt, and shallow features count less. */
    public boolean guessMode() {
        return get(GUESS_MODE);
    }

    public Request guessMode(boolean value) {
        return with(GUESS_MODE, value);
    }

    /** Whether tokens are merged in ControlNets' own blocks, too. */
    public boolean mergeControlnet() {
        return get(MERGE_CONTROLNET);
    }

    public Request mergeControlnet(boolean value) {
        return with(MERGE_CONTROLNET, value);
    }

    /** The regions whose tokens are not merged; empty for none but what {@link #protectRepainted} says. */
    public Optional<SourceImage> protection() {
        return protection;
    }

    /**
     * Leaves regions out of merging (see {@link io.tome4j.merging.ProtectedTokens}).
     *
     * @param mask white is protected; of the size of the image that is made, or of the one that it begins with
     */
    public Request protect(SourceImage mask) {
        return new Request(prompts, values, start, merging, loras, embeddings, guides, Optional.of(mask));
    }

    /** The same without such a mask. */
    Request unprotected() {
        return new Request(prompts, values, start, merging, loras, embeddings, guides, Optional.empty());
    }

    /** Whether tokens of what a mask has repainted are not merged, where the method of merging can leave tokens out. */
    public boolean protectRepainted() {
        return get(PROTECT_REPAINTED);
    }

    public Request protectRepainted(boolean value) {
        return with(PROTECT_REPAINTED, value);
    }

    /** Images in all. */
    public int images() {
        return prompts.size() * imagesPerPrompt();
    }

    /** Images that are made together, in one batch. */
    public int imagesAtATime() {
        return seedPerImage() ? 1 : images();
    }

    /** One of {@link #images()} that is made by itself: its prompt, its seed and where it starts. */
    Request single(int image) {
        return prompts(List.of(prompts.get(image / imagesPerPrompt())))
                .imagesPerPrompt(1)
                .seedPerImage(false)
                .seed(seed() + image)
                .start(start.of(image, images()));
    }

    /**
     * The size in latents.
     *
     * @param modelsOwn the model's own size, for where none was asked for and no image is begun with
     */
    public TokenGrid latentGrid(TokenGrid modelsOwn) {
        if (width() != 0 && height() != 0) {
            return new TokenGrid(height() / PIXELS_PER_LATENT, width() / PIXELS_PER_LATENT);
        }
        TokenGrid own = start.ownGrid(this).orElse(modelsOwn);
        return new TokenGrid(
                height() == 0 ? own.height() : height() / PIXELS_PER_LATENT,
                width() == 0 ? own.width() : width() / PIXELS_PER_LATENT);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Request request
                && request.prompts.equals(prompts)
                && request.values.equals(values)
                && request.start.equals(start)
                && request.merging.equals(merging)
                && request.loras.equals(loras)
                && request.embeddings.equals(embeddings)
                && request.guides.equals(guides)
                && request.protection.equals(protection);
    }

    @Override
    public int hashCode() {
        return Objects.hash(prompts, values, start, merging, loras, embeddings, guides, protection);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Request ").append(prompts);
        OPTIONS.stream()
                .filter(values::has)
                .forEach(option ->
                        text.append(' ').append(option.name()).append('=').append(get(option)));
        loras.forEach(lora -> text.append(' ').append(lora));
        embeddings.forEach(embedding -> text.append(" embedding=").append(embedding));
        text.append(guides);
        protection.ifPresent(mask -> text.append(" protecting: ").append(mask));
        merging.ifPresent(options -> text.append(" merging: ").append(options.identity()));
        return text.append(start.equals(Start.noise()) ? "" : " with a start").toString();
    }
}
