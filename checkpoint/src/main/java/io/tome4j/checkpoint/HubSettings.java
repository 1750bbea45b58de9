package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the Hugging Face hub is, where its cache lies, and who we are to it: what the environment variables of Python's
 * {@code huggingface_hub} say, so that both share one cache.
 *
 * @param endpoint the hub's address, without a slash at its end
 * @param cache the folder of the cache
 * @param token what the hub knows us by; empty for none
 * @param offline whether only the cache may be used
 * @param retryDelay the pause before the first retry; it doubles with each
 * @param network how the hub is reached
 */
public record HubSettings(
        URI endpoint, Path cache, String token, boolean offline, Duration retryDelay, Network network) {
    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
    private static final Path NOWHERE = Path.of("");
    private static final String UNKNOWN_HOME = "?"; // what Java says of a user id that the system has no entry of
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{([^}]*)\\}|([A-Za-z0-9_]+))");
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

    /** The settings that this process's environment gives. */
    public static HubSettings fromEnvironment() {
        String home = System.getProperty("user.home", "");
        return of(System.getenv(), Path.of(home.equals(UNKNOWN_HOME) ? "" : home));
    }

    /**
     * The settings that an environment gives: {@code HF_ENDPOINT}; {@code HF_HUB_CACHE}, {@code HUGGINGFACE_HUB_CACHE},
     * else {@code hub} in {@code HF_HOME}, else {@code huggingface/hub} in {@code XDG_CACHE_HOME} or {@code ~/.cache};
     * {@code HF_TOKEN}, {@code HUGGING_FACE_HUB_TOKEN}, else the content of {@code HF_TOKEN_PATH} or of {@code token} in
     * {@code HF_HOME}, but no token where {@code HF_HUB_DISABLE_IMPLICIT_TOKEN} says so; {@code HF_HUB_OFFLINE}, {@code
     * TRANSFORMERS_OFFLINE}. In paths {@code ~} is {@code HOME} or else the user's home folder, and {@code $NAME} and
     * {@code ${NAME}} are variables. The {@link Network} reads what it needs.
     *
     * @param userHome what the system says is the user's home folder; empty if it does not know
     * @throws TomeException if a variable makes no sense
     */
    public static HubSettings of(Map<String, String> environment, Path userHome) {
        String homeVariable = File.separatorChar == '/' ? environment.getOrDefault("HOME", "") : "";
        var env = new Environment(environment, homeVariable.isEmpty() ? userHome.toString() : homeVariable);
        Path xdg = env.path("XDG_CACHE_HOME", env.isHomeless() ? NOWHERE : Path.of(env.home(), ".cache"));
        Path home = env.path("HF_HOME", below(xdg, "huggingface"));
        Path cache = env.path("HF_HUB_CACHE", env.path("HUGGINGFACE_HUB_CACHE", below(home, "hub")));
        String token = "";
        if (!env.flag("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            Path file = env.path("HF_TOKEN_PATH", below(home, "token"));
            token = env.token("HF_TOKEN")
                    .or(() -> env.token("HUGGING_FACE_HUB_TOKEN"))
                    .orElseGet(() -> readToken(file));
        }
        boolean offline =
                env.flag(env.text("HF_HUB_OFFLINE", "").isEmpty() ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE");
        return new HubSettings(
                endpoint(env.text("HF_ENDPOINT", DEFAULT_ENDPOINT)),
                cache,
                token,
                offline,
                Duration.ofSeconds(1),
                Network.of(environment));
    }

    private static Path below(Path folder, String name) {
        return folder.equals(NOWHERE) ? NOWHERE : folder.resolve(name);
    }

    /**
     * The folder of the cache.
     *
     * @throws TomeException if there is none: the user has no home folder, and no variable names another one
     */
    @Override
    public Path cache() {
        if (cache.equals(NOWHERE)) {
            throw new TomeException(
                    "There is no place for the cache of models: this user has no home folder. Set HF_HOME to"
                            + " a folder that may be written to.");
        }
        return cache;
    }

    /** The same settings, with the network allowed or not. */
    public HubSettings offline(boolean other) {
        return new HubSettings(endpoint, cache, token, other, retryDelay, network);
    }

    private record Environment(Map<String, String> variables, String home) {
        boolean isHomeless() {
            return home.isEmpty();
        }

        String text(String name, String absent) {
            String value = variables.getOrDefault(name, "").strip();
            return value.isEmpty() ? absent : value;
        }

        boolean flag(String name) {
            return TRUE.contains(text(name, "").toUpperCase(Locale.ROOT));
        }

        Optional<String> token(String name) {
            return Optional.of(cleanToken(text(name, ""), name)).filter(token -> !token.isEmpty());
        }

        Path path(String name, Path absent) {
            String value = text(name, "");
            if (value.isEmpty()) {
                return absent;
            }
            boolean inHome = value.equals("~") || value.startsWith("~/");
            if (inHome && isHomeless()) {
                throw new TomeException(name + " is '" + value + "', and this user has no home folder.");
            }
            String expanded = VARIABLE.matcher(inHome ? home + value.substring(1) : value)
                    .replaceAll(found -> Matcher.quoteReplacement(variables.getOrDefault(
                            found.group(1) == null ? found.group(2) : found.group(1), found.group())));
            try {
                return Path.of(expanded);
            } catch (InvalidPathException e) {
                throw new TomeException(name + " is '" + value + "', which is no path: " + e.getReason() + ".", e);
            }
        }
    }

    /** Without line breaks, as Python takes it; what is no token is not shown, because a part of it may be one. */
    private static String cleanToken(String text, String origin) {
        String token = text.replaceAll("[\\r\\n]", "").strip();
        if (!token.matches("[!-~]*")) {
            throw new TomeException(
                    origin + " is not a token: it has characters that no token has. Copy it anew from the"
                            + " hub's settings.");
        }
        return token;
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
            return Files.isRegularFile(file) ? cleanToken(Files.readString(file), "The content of " + file) : "";
        } catch (IOException e) {
            throw new TomeException("The token in " + file + " cannot be read: " + WholeFile.reason(e) + ".", e);
        }
    }

    /** All but the token. */
    @Override
    public String toString() {
        return "HubSettings[endpoint=" + endpoint + ", cache=" + cache + ", token=" + (token.isEmpty() ? "none" : "***")
                + ", offline=" + offline + "]";
    }
}
