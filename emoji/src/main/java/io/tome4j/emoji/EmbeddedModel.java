package io.tome4j.emoji;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;

/**
 * The model that ships with tome4j: a Stable Diffusion checkpoint that draws emoji, as a folder that any reader of
 * {@code diffusers} checkpoints takes.
 *
 * <pre>{@code
 * EmbeddedModel model = EmbeddedModel.shipped();
 * try (var pipeline = StableDiffusionPipeline.fromPretrained(model.folder().toString())) {
 *     Request request = Request.of("a red apple").steps(model.steps()).guidanceScale(model.guidanceScale());
 *     pipeline.generate(request).image().save(Path.of("apple.png"));
 * }
 * }</pre>
 *
 * <p>Where its files lie open on the disk they are used as they are. Those in a jar are unpacked once, into
 * {@code tome4j} in the cache of the Hugging Face hub, under a name that changes with their content.
 */
public final class EmbeddedModel {
    private static final String SETTINGS = "model/model.json";
    private static final String INDEX = "model_index.json";

    private final String name;
    private final String description;
    private final int width;
    private final int height;
    private final int steps;
    private final double guidanceScale;
    private final ClassLoader loader;

    private EmbeddedModel(JsonNode settings, ClassLoader loader) {
        this.name = required(settings, "name").asText();
        this.description = required(settings, "description").asText();
        this.width = required(settings, "width").asInt();
        this.height = required(settings, "height").asInt();
        this.steps = required(settings, "steps").asInt();
        this.guidanceScale = required(settings, "guidanceScale").asDouble();
        this.loader = loader;
    }

    /**
     * The model in this build.
     *
     * @throws TomeException if what describes it is missing
     */
    public static EmbeddedModel shipped() {
        return in(EmbeddedModel.class.getClassLoader());
    }

    /** The model among these resources. */
    static EmbeddedModel in(ClassLoader loader) {
        URL settings = Resources.url(loader, SETTINGS);
        try (InputStream in = settings.openStream()) {
            return new EmbeddedModel(new ObjectMapper().readTree(in), loader);
        } catch (IOException e) {
            throw new TomeException("The resource " + settings + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static JsonNode required(JsonNode settings, String field) {
        JsonNode value = settings.get(field);
        if (value == null) {
            throw new TomeException("The resource " + Resources.path(SETTINGS) + " has no '" + field + "'.");
        }
        return value;
    }

    /** What it is called, which is also the name of its folder. */
    public String name() {
        return name;
    }

    /** What it does, as the rest of a sentence that begins with its name. */
    public String description() {
        return description;
    }

    /** The width of the images that it was trained on, in pixels. */
    public int width() {
        return width;
    }

    /** The height of the images that it was trained on, in pixels. */
    public int height() {
        return height;
    }

    /** The denoising steps that are enough for it. */
    public int steps() {
        return steps;
    }

    /** The guidance scale that suits it. */
    public double guidanceScale() {
        return guidanceScale;
    }

    /** Whether its files are there: someone may have built tome4j without them. */
    public boolean isThere() {
        return loader.getResource(folderPath() + "/" + INDEX) != null;
    }

    /** The size of its files in bytes. */
    public long bytes() {
        return files().bytes();
    }

    /** What its files hold, as 16 hexadecimal digits: other weights have another one. */
    public String fingerprint() {
        return files().fingerprint();
    }

    /**
     * Where its folder lies, or will once {@link #folder()} has unpacked it; by the environment's
     * {@link HubSettings#cache()}.
     */
    public Path location() {
        return files().location(HubSettings.fromEnvironment().cache());
    }

    /**
     * Its folder, in the layout of {@code diffusers}. Unpacked first where that is necessary; what is missing there or
     * has another size than it should is made anew. Safe to call from several threads and processes at once.
     *
     * @throws TomeException if it is not there or cannot be unpacked: the message names the folder and what to do
     */
    public Path folder() {
        return files().folder(HubSettings.fromEnvironment().cache());
    }

    /** As {@link #folder()}, unpacked into another cache. */
    Path folder(Path cache) {
        return files().folder(cache);
    }

    private String folderPath() {
        return Resources.path("model/" + name);
    }

    private ResourceFolder files() {
        return ResourceFolder.of(loader, folderPath(), INDEX);
    }
}
