package io.tome4j.springboot;

import io.tome4j.springai.Tome4jImageOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How images are made where a call does not say; common to both image models. */
public abstract class ImageProperties {
    /** Denoising steps. */
    private @Nullable Integer steps;

    /** How strongly to follow the prompt; 1 or less is no guidance. */
    private @Nullable Double guidanceScale;

    /** Width in pixels, a multiple of 8. */
    private @Nullable Integer width;

    /** Height in pixels, a multiple of 8. */
    private @Nullable Integer height;

    /** Which solver takes the steps; otherwise the checkpoint's own. */
    private @Nullable String scheduler;

    /** Of the first image; otherwise drawn at random for each call. */
    private @Nullable Long seed;

    /** What guidance leads away from. */
    private @Nullable String negativePrompt;

    /** Any other option of a request by its name, such as reuse-every. */
    private Map<String, String> options = new LinkedHashMap<>();

    /** What these say. */
    Tome4jImageOptions.Builder toOptions() {
        Tome4jImageOptions.Builder builder = Tome4jImageOptions.builder();
        options.forEach(builder::option);
        if (steps != null) {
            builder.steps(steps);
        }
        if (guidanceScale != null) {
            builder.guidanceScale(guidanceScale);
        }
        if (width != null) {
            builder.width(width);
        }
        if (height != null) {
            builder.height(height);
        }
        if (scheduler != null) {
            builder.scheduler(scheduler);
        }
        if (seed != null) {
            builder.seed(seed);
        }
        if (negativePrompt != null) {
            builder.negativePrompt(negativePrompt);
        }
        return builder;
    }

    public @Nullable Integer getSteps() {
        return steps;
    }

    public void setSteps(@Nullable Integer value) {
        steps = value;
    }

    public @Nullable Double getGuidanceScale() {
        return guidanceScale;
    }

    public void setGuidanceScale(@Nullable Double value) {
        guidanceScale = value;
    }

    public @Nullable Integer getWidth() {
        return width;
    }

    public void setWidth(@Nullable Integer value) {
        width = value;
    }

    public @Nullable Integer getHeight() {
        return height;
    }

    public void setHeight(@Nullable Integer value) {
        height = value;
    }

    public @Nullable String getScheduler() {
        return scheduler;
    }

    public void setScheduler(@Nullable String value) {
        scheduler = value;
    }

    public @Nullable Long getSeed() {
        return seed;
    }

    public void setSeed(@Nullable Long value) {
        seed = value;
    }

    public @Nullable String getNegativePrompt() {
        return negativePrompt;
    }

    public void setNegativePrompt(@Nullable String value) {
        negativePrompt = value;
    }

    public Map<String, String> getOptions() {
        return options;
    }

    public void setOptions(Map<String, String> value) {
        options = value;
    }
}
