package io.tome4j.springboot;

import io.tome4j.springai.Tome4jImageOptions;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** How Spring AI's image model makes images where a prompt does not say. */
@ConfigurationProperties("spring.ai.tome4j.image")
public class SpringAiImageProperties extends ImageProperties {
    /** How many images a call makes, each with a seed of its own. */
    private @Nullable Integer n;

    @Override
    Tome4jImageOptions.Builder toOptions() {
        Tome4jImageOptions.Builder builder = super.toOptions();
        return n == null ? builder : builder.n(n);
    }

    public @Nullable Integer getN() {
        return n;
    }

    public void setN(@Nullable Integer value) {
        n = value;
    }
}
