package io.tome4j.cli;

import io.tome4j.tensor.Option;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads numbers, and says of what is none that it is not in words that are not Java's. */
final class Numbers {
    private Numbers() {}

    static void register(CommandLine commandLine) {
        commandLine.registerConverter(Integer.class, converter(Integer::valueOf, "whole number"));
        commandLine.registerConverter(int.class, converter(Integer::valueOf, "whole number"));
        commandLine.registerConverter(long.class, converter(Option::wholeNumber, "whole number"));
        commandLine.registerConverter(Double.class, converter(Double::valueOf, "number"));
    }

    private static <T> ITypeConverter<T> converter(Function<String, T> parser, String kind) {
        return text -> {
            try {
                return parser.apply(text);
            } catch (NumberFormatException e) {
                boolean tooLong = text.matches("[+-]?\\d+");
                throw new TypeConversionException(
                        "'" + text + "' is " + (tooLong ? "out of the range of " + kind + "s" : "not a " + kind));
            }
        };
    }
}
