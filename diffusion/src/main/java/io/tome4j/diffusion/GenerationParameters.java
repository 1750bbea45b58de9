package io.tome4j.diffusion;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What one image was made from: all that is needed to make it again. As text it has the form that A1111's web UI writes
 * into PNG files under the key {@code parameters}, and that many programs read. Immutable.
 */
public final class GenerationParameters {
    private final Request request;
    private int index;
    private boolean initialLatents;
    private Sources sources = Sources.NONE;
    private String model = "";
    private String refiner = "";
    private String modelHash = "";
    private String vae = "";
    private String vaeHash = "";
    private String scheduler;
    private AttentionKernel attention = AttentionKernel.EFFICIENT;
    private Optional<DType> dtype = Optional.empty();
    private String version = "";

    private GenerationParameters(Request request) {
        this.request = request;
        this.scheduler = request.scheduler();
    }

    /**
     * Of a request's first image; nothing is known of the model.
     *
     * @param asked a request that does not say how to merge does not. Of a start that a text cannot hold, such as given
     *     latents, only {@link #initialLatents} is kept; of images, {@link #sources}; of LoRAs, not where their files lie
     */
    public static GenerationParameters of(Request asked) {
        Request resolved = asked.start() instanceof ImageStart ? asked.strength(asked.strengthToRun()) : asked;
        SamplerNames sampler = new SamplerNames(asked.scheduler(), asked.scheduleType()).canonical();
        Request kept = resolved.unprotected()
                .start(Start.noise())
                .scheduler(sampler.scheduler())
                .scheduleType(sampler.type())
                .with(Request.HIRES_UPSCALER, Upscaler.shown(asked.hiresUpscaler()))
                .merging(asked.merging().orElse(ToMeOptions.NONE))
                .guidanceScale(asked.guidanceScale()) // a text says it in any case
                .loras(asked.loras().stream().map(Lora::withoutFile).toList())
                .embeddings(
                        asked.embeddings().stream().map(Embedding::withoutFile).toList())
                .guides(asked.guides().withoutImages());
        GenerationParameters parameters = new GenerationParameters(kept);
        parameters.initialLatents = !asked.start().isInText();
        Sources sources = asked.start().sources();
        parameters.sources = asked.protection()
                .map(mask -> sources.with(Sources.Role.PROTECTION, Sources.Source.of(mask)))
                .orElse(sources);
        return parameters;
    }

    private GenerationParameters copy() {
        GenerationParameters copy = new GenerationParameters(request);
        copy.index = index;
        copy.initialLatents = initialLatents;
        copy.sources = sources;
        copy.model = model;
        copy.refiner = refiner;
        copy.modelHash = modelHash;
        copy.vae = vae;
        copy.vaeHash = vaeHash;
        copy.scheduler = scheduler;
        copy.attention = attention;
        copy.dtype = dtype;
        copy.version = version;
        return copy;
    }

    /** What was asked for; it says how to merge, and begins with noise. */
    public Request request() {
        return request;
    }

    /** How tokens were merged. */
    public ToMeOptions merging() {
        return request.merging().orElse(ToMeOptions.NONE);
    }

    /** Which of the request's images this is, from 0. */
    public int index() {
        return index;
    }

    /**
     * The same of another image.
     *
     * @throws IllegalArgumentException if there is no image of this index
     */
    public GenerationParameters index(int value) {
        if (value < 0 || value >= request.images()) {
            throw new IllegalArgumentException(
                    "There is no image " + value + " (from 0) in a request for " + request.images());
        }
        GenerationParameters copy = copy();
        copy.index = value;
        return copy;
    }

    /** Whether initial latents were given: then the text alone does not make the image again. */
    public boolean initialLatents() {
        return initialLatents;
    }

    public GenerationParameters initialLatents(boolean value) {
        GenerationParameters copy = copy();
        copy.initialLatents = value;
        return copy;
    }

    /** The images that the run took in. */
    public Sources sources() {
        return sources;
    }

    /**
     * The request that makes the image again, with the images that it took in.
     *
     * @param folder where these lie
     * @throws TomeException if one of them is missing or has changed; it is named
     */
    public Request repeated(Path folder) {
        Request started =
                request.start(sources.start(folder)).guides(request.guides().from(folder));
        return sources.protection(folder).map(started::protect).orElse(started);
    }

    GenerationParameters sources(Sources value) {
        GenerationParameters copy = copy();
        copy.sources = value;
        return copy;
    }

    /** The model's name; may be empty. */
    public String model() {
        return model;
    }

    public GenerationParameters model(String value) {
        GenerationParameters copy = copy();
        copy.model = value;
        return copy;
    }

    /** The name of the model that went on from {@link Request#refinerStart}; empty for none. */
    public String refiner() {
        return refiner;
    }

    public GenerationParameters refiner(String value) {
        GenerationParameters copy = copy();
        copy.refiner = value;
        return copy;
    }

    /** The first ten hexadecimal digits of the SHA-256 of the model's single file; empty for a folder. */
    public String modelHash() {
        return modelHash;
    }

    public GenerationParameters modelHash(String value) {
        GenerationParameters copy = copy();
        copy.modelHash = value;
        return copy;
    }

    /** The name of the file or folder of a VAE in place of the model's own; empty for its own. */
    public String vae() {
        return vae;
    }

    public GenerationParameters vae(String value) {
        GenerationParameters copy = copy();
        copy.vae = value;
        return copy;
    }

    /** As {@link #modelHash()}, of that VAE. */
    public String vaeHash() {
        return vaeHash;
    }

    public GenerationParameters vaeHash(String value) {
        GenerationParameters copy = copy();
        copy.vaeHash = value;
        return copy;
    }

    /** The scheduler that ran; empty if that is not known. */
    public String scheduler() {
        return scheduler;
    }

    /** Has no effect where the request itself names a scheduler. */
    public GenerationParameters scheduler(String value) {
        GenerationParameters copy = copy();
        copy.scheduler = request.scheduler().equals(Request.CHECKPOINTS_OWN) ? value : request.scheduler();
        return copy;
    }

    /** How attention was computed. */
    public AttentionKernel attention() {
        return attention;
    }

    public GenerationParameters attention(AttentionKernel value) {
        GenerationParameters copy = copy();
        copy.attention = value;
        return copy;
    }

    /** What was computed in; empty if that is not known. */
    public Optional<DType> dtype() {
        return dtype;
    }

    public GenerationParameters dtype(DType value) {
        GenerationParameters copy = copy();
        copy.dtype = Optional.of(value);
        return copy;
    }

    /** The program's name and version; may be empty. */
    public String version() {
        return version;
    }

    public GenerationParameters version(String value) {
        GenerationParameters copy = copy();
        copy.version = value;
        return copy;
    }

    /** The prompt of this image. */
    public String prompt() {
        return request.prompts().get(index / request.imagesPerPrompt());
    }

    /**
     * As the web UI writes it: the prompt, {@code Negative prompt: ...} where there is one, and a line
     * {@code Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x512, ...}. What this form cannot say, such
     * as a prompt with a line that starts with {@code Negative prompt:}, is said again in that line as a JSON string.
     */
    public String toText() {
        return Infotext.write(this);
    }

    /**
     * Reads what {@link #toText()} wrote, without loss, and what A1111's web UI and its kin write as far as it concerns
     * us: unknown keys are passed over, a sampler that we do not have keeps its name.
     *
     * @throws TomeException if the text has no line of parameters, or a value that cannot be
     */
    public static GenerationParameters parse(String text) {
        return Infotext.read(text);
    }

    /**
     * Reads the parameters in a PNG, JPEG or WebP.
     *
     * @throws TomeException if the file cannot be read, is no such image, carries no parameters, or ones that cannot be
     */
    public static GenerationParameters read(Path file) {
        String text = readText(file);
        try {
            return parse(text);
        } catch (TomeException e) {
            throw new TomeException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The parameters in an image as they stand: the text under the key {@code parameters} in a PNG, the Exif comment of a
     * JPEG or WebP.
     *
     * @throws TomeException if the file cannot be read, is no such image, or has no such text
     */
    public static String readText(Path file) {
        return ImageTexts.read(file);
    }

    /**
     * As {@link #readText(Path)}, of an image in memory.
     *
     * @throws TomeException if it is no such image, is damaged, or has no such text
     */
    public static String readText(byte[] image) {
        return ImageTexts.read(image);
    }

    /** The program's name and version, as {@link #version()} carries it. */
    public static String thisVersion() {
        // Maven puts this file into the jar; there is none where classes are run from a folder.
        try (InputStream in = GenerationParameters.class.getResourceAsStream(
                "/META-INF/maven/io.tome4j/tome4j-diffusion/pom.properties")) {
            if (in != null) {
                Properties properties = new Properties();
                properties.load(in);
                return "tome4j " + properties.getProperty("version", "").strip();
            }
        } catch (IOException e) {
            return "tome4j"; // a version is not worth failing for
        }
        return "tome4j";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GenerationParameters parameters
                && parameters.request.equals(request)
                && parameters.index == index
                && parameters.initialLatents == initialLatents
                && parameters.sources.equals(sources)
                && parameters.model.equals(model)
                && parameters.refiner.equals(refiner)
                && parameters.modelHash.equals(modelHash)
                && parameters.vae.equals(vae)
                && parameters.vaeHash.equals(vaeHash)
                && parameters.scheduler.equals(scheduler)
                && parameters.attention == attention
                && parameters.dtype.equals(dtype)
                && parameters.version.equals(version);
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                request,
                index,
                initialLatents,
                sources,
                model,
                refiner,
                modelHash,
                vae,
                vaeHash,
                scheduler,
                attention,
                dtype,
                version);
    }

    @Override
    public String toString() {
        return toText();
    }
}
