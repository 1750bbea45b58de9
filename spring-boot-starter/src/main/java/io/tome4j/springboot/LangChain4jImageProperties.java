package io.tome4j.springboot;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** How LangChain4j's image model makes images. */
@ConfigurationProperties("langchain4j.tome4j.image-model")
public class LangChain4jImageProperties extends ImageProperties {
    /** How long a call may take, the wait for others included. */
    private @Nullable Duration timeout;

    public @Nullable Duration getTimeout() {
        return timeout;
    }

    public void setTimeout(@Nullable Duration value) {
        timeout = value;
    }
}
