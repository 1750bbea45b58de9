package io.tome4j.diffusion;

import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

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
     * Reads the text in a PNG.
     *
     * @throws TomeException if the file cannot be read, is not a PNG, or has no such text
     */
    public static ReadParameters in(Path file) {
        return of(GenerationParameters.readText(file));
    }

    /** A value of the text; empty if it is not there. */
    public Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /** A whole number among the values; empty if it is not there, or is none. */
    public Optional<Long> number(String name) {
        try {
            return value(name).map(io.tome4j.tensor.Option::wholeNumber);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
