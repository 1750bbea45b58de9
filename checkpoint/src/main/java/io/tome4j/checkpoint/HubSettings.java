package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Where the Hugging Face hub is, where its cache lies, and who we are to it: what the environment variables of Python's
 * {@code huggingface_hub} say, so that both share one cache.
 *
 * @param endpoint the hub's address, without a slash at its end
 * @param cache the folder of the cache
 * @param token what the hub knows us by; empty for none
 * @param offline whether only the cache may be used
 * @param retryDelay the pause before the first retry; it doubles with each
 */
public record HubSettings(URI endpoint, Path cache, String token, boolean offline, Duration retryDelay) {
    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

    /** The settings that this process's environment gives. */
    public static HubSettings fromEnvironment() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    /**
     * The settings that an environment gives: {@code HF_ENDPOINT}; {@code HF_HUB_CACHE}, {@code HUGGINGFACE_HUB_CACHE},
     * else {@code hub} in {@code HF_HOME}, else {@code huggingface/hub} in {@code XDG_CACHE_HOME} or {@code ~/.cache};
     * {@code HF_TOKEN}, {@code HUGGING_FACE_HUB_TOKEN}, else the content of {@code HF_TOKEN_PATH} or of {@code token} in
     * {@code HF_HOME}; {@code HF_HUB_OFFLINE}, {@code TRANSFORMERS_OFFLINE}.
     *
     * @throws TomeException if a variable makes no sense
     */
    public static HubSettings of(Map<String, String> environment, Path userHome) {
        var env = new Environment(environment, userHome);
        Path xdg = env.path("XDG_CACHE_HOME", userHome.resolve(".cache"));
        Path home = env.path("HF_HOME", xdg.resolve("huggingface"));
        Path cache = env.path("HF_HUB_CACHE", env.path("HUGGINGFACE_HUB_CACHE", home.resolve("hub")));
        String token = env.text("HF_TOKEN", env.text("HUGGING_FACE_HUB_TOKEN", ""));
        if (token.isEmpty()) {
            token = readToken(env.path("HF_TOKEN_PATH", home.resolve("token")));
        }
        boolean offline = TRUE.contains(
                env.text("HF_HUB_OFFLINE", env.text("TRANSFORMERS_OFFLINE", "")).toUpperCase(Locale.ROOT));
        return new HubSettings(
                endpoint(env.text("HF_ENDPOINT", DEFAULT_ENDPOINT)), cache, token, offline, Duration.ofSeconds(1));
    }

    /** The same settings, with the network allowed or not. */
    public HubSettings offline(boolean other) {
        return new HubSettings(endpoint, cache, token, other, retryDelay);
    }

    private record Environment(Map<String, String> variables, Path userHome) {
        String text(String name, String absent) {
            String value = variables.getOrDefault(name, "").strip();
            return value.isEmpty() ? absent : value;
        }

        Path path(String name, Path absent) {
            String value = text(name, "");
            if (value.isEmpty()) {
                return absent;
            }
            return value.equals("~") || value.startsWith("~/")
                    ? userHome.resolve(value.substring(Math.min(2, value.length())))
                    : Path.of(value);
        }
    }

    private static URI endpoint(String text) {
        URI uri;
        try {
            uri = URI.create(text.replaceFirst("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw new TomeException(
                    "HF_ENDPOINT is '" + text + "', which is no address such as " + DEFAULT_ENDPOINT + ".", e);
        }
        boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!http || uri.getHost() == null) {
            throw new TomeException(
                    "HF_ENDPOINT is '" + text + "', which is no address such as " + DEFAULT_ENDPOINT + ".");
        }
        return uri;
    }

    private static String readToken(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.readString(file).strip() : "";
        } catch (IOException e) {
            throw new TomeException("The token in " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** All but the token. */
    @Override
    public String toString() {
        return "HubSettings[endpoint=" + endpoint + ", cache=" + cache + ", token=" + (token.isEmpty() ? "none" : "***")
                + ", offline=" + offline + "]";
    }
}
