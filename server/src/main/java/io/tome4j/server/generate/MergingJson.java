package io.tome4j.server.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.List;
import java.util.Optional;

/** How to merge, as requests say it: an object of the options by their names, a ratio alone, or {@code false}. */
public final class MergingJson {
    private MergingJson() {}

    /**
     * @param field the object's name
     * @param usual what is merged where the field is not there
     * @throws HttpError that names the option that is wrong
     */
    public static ToMeOptions read(Fields fields, String field, ToMeOptions usual) {
        Optional<JsonNode> value = fields.value(field);
        if (value.isEmpty()) {
            return usual;
        }
        if (value.get().isBoolean()) {
            return value.get().asBoolean() ? orHalf(usual) : ToMeOptions.NONE;
        }
        if (!(value.get() instanceof ObjectNode)) {
            return ratio(orHalf(usual), fields.number(field).orElseThrow(), fields.path(field));
        }
        return read(fields.object(field), orHalf(usual));
    }

    /** Who names options wants to merge, even if the server does not by itself. */
    private static ToMeOptions orHalf(ToMeOptions usual) {
        return usual.merges() ? usual : usual.withRatio(ToMeOptions.RATIO.defaultValue());
    }

    private static ToMeOptions read(Fields fields, ToMeOptions base) {
        for (String name : fields.names()) {
            if (ToMeOptions.OPTIONS.stream().noneMatch(option -> option.name().equals(name))) {
                throw HttpError.field(
                        fields.path(name),
                        fields.path(name) + " is no option of merging; there are " + String.join(", ", names()));
            }
        }
        ToMeOptions options = withOption(fields, base, ToMeOptions.MODE); // others have other defaults in it
        for (Option<?> option : ToMeOptions.OPTIONS) {
            if (!option.equals(ToMeOptions.MODE)) {
                options = withOption(fields, options, option);
            }
        }
        return options;
    }

    private static List<String> names() {
        return ToMeOptions.OPTIONS.stream().map(Option::name).toList();
    }

    private static ToMeOptions withOption(Fields fields, ToMeOptions options, Option<?> option) {
        Optional<String> text = fields.text(option.name(), 100);
        if (text.isEmpty()) {
            return options;
        }
        try {
            return options.withText(option, text.get());
        } catch (OptionException e) {
            throw HttpError.field(fields.path(option.name()), e.message(fields::path));
        }
    }

    /** The same options with another ratio, which 0 turns off. */
    public static ToMeOptions ratio(ToMeOptions options, double ratio, String field) {
        try {
            return options.withRatio(ratio);
        } catch (OptionException e) {
            throw HttpError.field(field, e.message(name -> field));
        }
    }
}
