package io.tome4j.tensor;

import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A value that an option cannot have, alone or beside another. The message names options as the library does; a program
 * whose users know them by other names renders it anew with {@link #message}.
 */
public final class OptionException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;
    private static final Pattern NAME = Pattern.compile("\\{\\{|\\{([a-z][a-z0-9_]*)}");

    private final String template;

    /**
     * @param template the message, with the names of options in braces: {@code {sx} is 0: it must be at least 1}. The first
     *     is the one that is wrong. What users wrote goes through {@link #literal}
     */
    public OptionException(String template) {
        this(template, null);
    }

    /** As {@link #OptionException(String)}, with what led to it. */
    public OptionException(String template, @Nullable Throwable cause) {
        super(render(template, UnaryOperator.identity()), cause);
        this.template = template;
    }

    /** A text as it stands in a message, whatever braces it has. */
    public static String literal(String text) {
        return text.replace("{", "{{");
    }

    /** The name of the option that is wrong, as in {@link Option#name}; empty if the message names none. */
    public String option() {
        Matcher matcher = NAME.matcher(template);
        while (matcher.find()) {
            if (matcher.group(1) != null) {
                return matcher.group(1);
            }
        }
        return "";
    }

    /**
     * The message in other words.
     *
     * @param naming what users call an option, from its {@linkplain Option#name name}
     */
    public String message(UnaryOperator<String> naming) {
        return render(template, naming);
    }

    private static String render(String template, UnaryOperator<String> naming) {
        return NAME.matcher(template)
                .replaceAll((MatchResult match) ->
                        Matcher.quoteReplacement(match.group(1) == null ? "{" : naming.apply(match.group(1))));
    }
}
