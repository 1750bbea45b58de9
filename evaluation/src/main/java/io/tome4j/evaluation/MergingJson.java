package io.tome4j.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.merging.ToMeOptions;
import java.util.Locale;

/** The options of merging as JSON: each by the name that {@code tomesd} has for it, in snake case. */
public final class MergingJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private MergingJson() {}

    /** An object of all options, always in the same order. */
    public static ObjectNode of(ToMeOptions options) {
        ObjectNode json = MAPPER.createObjectNode();
        put(json, options);
        return json;
    }

    /** Adds all options to an object, always in the same order. */
    public static void put(ObjectNode json, ToMeOptions options) {
        json.put("ratio", options.ratio());
        json.put("max_downsample", options.maxDownsample());
        json.put("sx", options.sx());
        json.put("sy", options.sy());
        json.put("use_rand", options.useRand());
        json.put("merge_attn", options.mergeAttn());
        json.put("merge_crossattn", options.mergeCrossattn());
        json.put("merge_mlp", options.mergeMlp());
        json.put("mode", lower(options.mode()));
        json.put("method", lower(options.method()));
        json.put("size_weighted", options.sizeWeighted());
        json.put("match_per", lower(options.matching().per()));
        json.put("match_every", options.matching().every());
        json.put("match_together", options.matching().together());
        json.put("match_precision", lower(options.matching().precision()));
        json.put("auto", options.auto());
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
