package io.tome4j.cli.options;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an enum's constants in lower case, as options say them. */
public class LowerCase<E extends Enum<E>> implements ITypeConverter<E> {
    private final Class<E> type;

    public LowerCase(Class<E> type) {
        this.type = type;
    }

    @Override
    public E convert(String value) {
        try {
            return Enum.valueOf(type, value.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + value + "' is none of " + names());
        }
    }

    private String names() {
        return Arrays.stream(type.getEnumConstants()).map(LowerCase::name).collect(Collectors.joining(", "));
    }

    /** A constant's name as options say it. */
    public static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
