package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A textual inversion (arXiv 2208.01618): vectors that a text encoder sees where a prompt has their token. Immutable.
 *
 * <p>Where prompts are plain, the token is looked for as diffusers does: one that was given, or else the name of the only
 * tensor in the file, or else the file's name. In {@link io.tome4j.diffusion.prompt.PromptSyntax#A1111} it is the file's name,
 * or one that was given. Each vector takes the place of a token.
 */
public final class Embedding {
    private static final Pattern SUFFIX = Pattern.compile("\\.(safetensors|pt|ckpt|bin)$");
    private static final Pattern WITH_TOKEN = Pattern.compile("(.+\\.[A-Za-z]+)(?::([^:\\\\/].*))?");

    private final String name;
    private final Optional<Path> file;
    private final String token;
    private final String hash;

    private Embedding(String name, Optional<Path> file, String token, String hash) {
        this.name = name;
        this.file = file;
        this.token = token;
        this.hash = hash;
    }

    /** A file. */
    public static Embedding of(Path file) {
        String stem = SUFFIX.matcher(String.valueOf(file.getFileName())).replaceFirst("");
        return new Embedding(stem.replaceAll("[:,\\p{Cntrl}]", "_"), Optional.of(file), "", "");
    }

    /** One whose file is not known. */
    public static Embedding named(String name) {
        return new Embedding(name, Optional.empty(), "", "");
    }

    /**
     * Reads {@code FILE[:TOKEN]}.
     *
     * @throws OptionException if it is empty
     */
    public static Embedding parse(String text) {
        if (text.isBlank()) {
            throw new OptionException("{embedding} is empty: it must be a file, such as toy.safetensors");
        }
        Matcher matcher = WITH_TOKEN.matcher(text);
        if (Files.exists(Path.of(text)) || !matcher.matches() || matcher.group(2) == null) {
            return of(Path.of(text));
        }
        return of(Path.of(matcher.group(1))).token(matcher.group(2));
    }

    /** The file's name without its end. */
    public String name() {
        return name;
    }

    /** Where it lies. */
    public Optional<Path> file() {
        return file;
    }

    /** What stands for it in prompts, where that was given; else empty. */
    public String token() {
        return token;
    }

    /** This stands for it in prompts. */
    public Embedding token(String value) {
        return new Embedding(name, file, value.strip(), hash);
    }

    /**
     * Checks that its file can be read and is a textual inversion, before a model is loaded for it.
     *
     * @throws io.tome4j.tensor.TomeException if it is not
     */
    public void requireFile() {
        file.ifPresent(path -> EmbeddingFile.open(this));
    }

    /** Which file it is: the first 12 digits of its SHA-256, as web UIs have it; empty if not known. */
    public String hash() {
        return hash;
    }

    Embedding hash(String value) {
        return new Embedding(name, file, token, value);
    }

    Embedding in(Path path) {
        return new Embedding(name, Optional.of(path), token, hash);
    }

    /** The same as a text can hold it. */
    Embedding withoutFile() {
        return new Embedding(name, Optional.empty(), token, hash);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Embedding embedding
                && embedding.name.equals(name)
                && embedding.file.equals(file)
                && embedding.token.equals(token)
                && embedding.hash.equals(hash);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, file, token, hash);
    }

    @Override
    public String toString() {
        return token.isEmpty() ? name : name + ":" + token;
    }
}
