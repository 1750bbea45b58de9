package io.tome4j.diffusion;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.TomeException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What can be read of the parameters in an image, whoever wrote them: all of it as it stands, and, where it is enough to
 * make the image again, what tome4j would make of it.
 *
 * @param prompt the prompt; may be empty
 * @param negativePrompt the negative prompt; may be empty
 * @param values what the text says of anything else, by its own names: {@code Steps}, {@code CFG scale}; empty if there is
 *     no line of such
 * @param parameters what tome4j would make of it; empty if a value is missing or cannot be
 * @param problem why it would not; empty if it would
 */
public record ReadParameters(
        String prompt,
        String negativePrompt,
        Map<String, String> values,
        Optional<GenerationParameters> parameters,
        String problem) {
    private static final Pattern NUMBER = Pattern.compile("[+-]?\\d{1,40}(\\.\\d{1,40})?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,18})\\s*x\\s*(\\d{1,18})");

    public ReadParameters {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Reads a text in the form of {@link GenerationParameters#toText}; any text can be read. */
    public static ReadParameters of(String text) {
        ParametersText parsed = ParametersText.parse(text);
        try {
            GenerationParameters parameters = Infotext.read(text);
            return new ReadParameters(
                    parameters.prompt(),
                    parameters.request().negativePrompt(),
                    parsed.values(),
                    Optional.of(parameters),
                    "");
        } catch (TomeException e) {
            return new ReadParameters(
                    parsed.prompt(),
                    parsed.negativePrompt(),
                    parsed.values(),
                    Optional.empty(),
                    String.valueOf(e.getMessage()));
        }
    }

    /**
     * Reads the text in a PNG, JPEG or WebP.
     *
     * @throws TomeException if the file cannot be read, is no such image, or has no such text
     */
    public static ReadParameters in(Path file) {
        return of(GenerationParameters.readText(file));
    }

    /** A value of the text; empty if it is not there. */
    public Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /** A number among the values, whatever its range; empty if it is not there, or is none. */
    public Optional<BigDecimal> number(String name) {
        return value(name).filter(text -> NUMBER.matcher(text).matches()).map(BigDecimal::new);
    }

    /** A whole number among the values, whatever its range; empty if it is not there, or is none. */
    public Optional<BigInteger> wholeNumber(String name) {
        return number(name).filter(value -> value.scale() == 0).map(BigDecimal::toBigInteger);
    }

    /** The scheduler: by our name where we have it, else by the name that stands there; empty if there is none. */
    public Optional<String> scheduler() {
        return value(Request.SCHEDULER.title())
                .map(sampler -> SamplerNames.of(sampler, values.getOrDefault(Infotext.SCHEDULE, ""))
                        .scheduler());
    }

    /** Width in pixels, whatever it is; empty if there is none. */
    public Optional<Long> width() {
        return side(1);
    }

    /** Height in pixels, whatever it is; empty if there is none. */
    public Optional<Long> height() {
        return side(2);
    }

    private Optional<Long> side(int which) {
        return value(Infotext.SIZE_KEY)
                .map(SIZE::matcher)
                .filter(Matcher::matches)
                .map(size -> Long.valueOf(size.group(which)));
    }

    /** How tokens were merged; empty if they were not, or that cannot be read. */
    public Optional<ToMeOptions> merging() {
        try {
            return Optional.of(Infotext.merging(new ParameterValues(values))).filter(ToMeOptions::merges);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
