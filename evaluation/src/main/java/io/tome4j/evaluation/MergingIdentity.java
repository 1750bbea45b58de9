package io.tome4j.evaluation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.merging.ToMeOptions;
import java.util.StringJoiner;

/**
 * The options of merging as a text by which kept results are known again: {@code ratio=0.5 method=todo}. It has the ratio
 * and what differs from the defaults, always in the same order, so that an option that is added later, at its default,
 * leaves kept results valid.
 */
public final class MergingIdentity {
    /** The text of no merging. */
    public static final String OFF = "off";

    private MergingIdentity() {}

    /** The text of these options; {@value #OFF} for ratio 0, whatever the others are. */
    public static String of(ToMeOptions options) {
        if (options.ratio() == 0) {
            return OFF;
        }
        ToMeOptions defaults = ToMeOptions.ratio(0);
        ObjectNode usual = MergingJson.of(defaults.mode(options.mode())); // a mode brings a matching of its own
        usual.put("mode", MergingJson.of(defaults).required("mode").asText());
        StringJoiner text = new StringJoiner(" ");
        MergingJson.of(options).properties().forEach(option -> {
            if (!option.getValue().equals(usual.get(option.getKey()))) {
                text.add(option.getKey() + "=" + option.getValue().asText());
            }
        });
        return text.toString();
    }
}
