package io.tome4j.diffusion;

import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA (arXiv 2106.09685) and its like that a request wants added to the model, and how strongly. Immutable.
 *
 * <pre>{@code
 * Request.of("a knight").loras(Lora.of(Path.of("pixel-art.safetensors")).weight(0.8))
 * }</pre>
 *
 * One that an image's parameters name has a name and no file: {@link LoraFolder#resolve} finds it.
 */
public final class Lora {
    /** Its strength, and what users call it: {@code --lora}. */
    private static final Option<Double> WEIGHT = Option.of("lora", 1.0)
            .allowing(weight -> Double.isFinite(weight), "the weight must be a number; 1 is as it was trained");

    private static final String NUMBER = "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?";
    private static final Pattern WITH_WEIGHTS = Pattern.compile("(.+?)(?::(" + NUMBER + "))?(?::(" + NUMBER + "))?");
    private static final Pattern SUFFIX = Pattern.compile("\\.(safetensors|pt|ckpt|bin)$");

    private final String name;
    private final Optional<Path> file;
    private final double weight;
    private final double textWeight;
    private final String hash;

    private Lora(String name, Optional<Path> file, double weight, double textWeight, String hash) {
        this.name = name;
        this.file = file;
        this.weight = WEIGHT.require(weight);
        this.textWeight = WEIGHT.require(textWeight);
        this.hash = hash;
    }

    /** A file, as strongly as it was trained. */
    public static Lora of(Path file) {
        String stem = SUFFIX.matcher(String.valueOf(file.getFileName())).replaceFirst("");
        // What tags and lists of hashes are made with cannot stand in them.
        return new Lora(stem.replaceAll("[<>:,\\p{Cntrl}]", "_"), Optional.of(file), 1, 1, "");
    }

    /** One whose file is not known. */
    public static Lora named(String name) {
        return new Lora(name, Optional.empty(), 1, 1, "");
    }

    /**
     * Reads {@code FILE[:weight[:text-weight]]}.
     *
     * @param text the text's weight is the weight's where it does not say
     */
    public static Lora parse(String text) {
        Matcher matcher = WITH_WEIGHTS.matcher(text);
        if (!matcher.matches()) {
            throw new OptionException(
                    "{lora} is empty: it must be a file, such as style.safetensors or" + " style.safetensors:0.8");
        }
        Lora lora = of(Path.of(matcher.group(1)));
        if (matcher.group(2) != null) {
            lora = lora.weight(Double.parseDouble(matcher.group(2)));
        }
        return matcher.group(3) == null ? lora : lora.textWeight(Double.parseDouble(matcher.group(3)));
    }

    /** What prompts and images call it: its file's name without the end. */
    public String name() {
        return name;
    }

    /** Where it lies. */
    public Optional<Path> file() {
        return file;
    }

    /**
     * Checks that its file can be read and is a LoRA, before a model is loaded for it.
     *
     * @throws io.tome4j.tensor.TomeException if it is not
     */
    public void requireFile() {
        file.ifPresent(LoraFile::open);
    }

    /** How strongly it is added to the denoiser. */
    public double weight() {
        return weight;
    }

    /** This strength, in denoiser and text encoders. */
    public Lora weight(double value) {
        return new Lora(name, file, value, value, hash);
    }

    /** How strongly it is added to the text encoders. */
    public double textWeight() {
        return textWeight;
    }

    /** This strength in the text encoders alone. */
    public Lora textWeight(double value) {
        return new Lora(name, file, weight, value, hash);
    }

    /** Which file it is: the first 12 digits of SHA-256 of its tensors, as web UIs have it; empty if not known. */
    public String hash() {
        return hash;
    }

    Lora hash(String value) {
        return new Lora(name, file, weight, textWeight, value);
    }

    /** The same in a file. */
    Lora in(Path path) {
        return new Lora(name, Optional.of(path), weight, textWeight, hash);
    }

    /** The same as a text can hold it. */
    Lora withoutFile() {
        return new Lora(name, Optional.empty(), weight, textWeight, hash);
    }

    /** As A1111's web UI reads it in a prompt: {@code <lora:name:0.8>}, or {@code <lora:name:text weight:weight>}. */
    public String tag() {
        String weights = WEIGHT.format(textWeight) + (textWeight == weight ? "" : ":" + WEIGHT.format(weight));
        return "<lora:" + name + ":" + weights + ">";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Lora lora
                && lora.name.equals(name)
                && lora.file.equals(file)
                && lora.weight == weight
                && lora.textWeight == textWeight
                && lora.hash.equals(hash);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, file, weight, textWeight, hash);
    }

    @Override
    public String toString() {
        return tag();
    }
}
