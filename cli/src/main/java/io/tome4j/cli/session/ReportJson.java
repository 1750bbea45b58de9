package io.tome4j.cli.session;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import java.time.Duration;

/** What the JSON of several reports has in common. */
public final class ReportJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ReportJson() {}

    /** An object with nothing in it. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** Adds the first prompt, and all that its images depend on but the model and merging. */
    public static void putRequest(ObjectNode json, Request request) {
        json.put("prompt", request.prompts().get(0));
        json.put("negative", request.negativePrompt());
        json.put("seed", request.seed());
        putSampling(json, request);
        json.put("width", request.width());
        json.put("height", request.height());
    }

    /** Adds scheduler, steps and guidance. */
    public static void putSampling(ObjectNode json, Request request) {
        json.put("scheduler", request.scheduler());
        json.put("steps", request.steps());
        json.put("guidance", request.guidanceScale());
    }

    /** Adds all options of merging. */
    public static void putMerging(ObjectNode json, ToMeOptions options) {
        json.put("ratio", options.ratio());
        json.put("max_downsample", options.maxDownsample());
        json.put("sx", options.sx());
        json.put("sy", options.sy());
        json.put("use_rand", options.useRand());
        json.put("merge_attn", options.mergeAttn());
        json.put("merge_crossattn", options.mergeCrossattn());
        json.put("merge_mlp", options.mergeMlp());
        json.put("mode", LowerCase.name(options.mode()));
        json.put("method", LowerCase.name(options.method()));
        json.put("size_weighted", options.sizeWeighted());
        json.put("match_per", LowerCase.name(options.matching().per()));
        json.put("match_every", options.matching().every());
        json.put("match_together", options.matching().together());
        json.put("match_precision", LowerCase.name(options.matching().precision()));
        json.put("auto", options.auto());
    }

    /** Seconds, to a tenth of a millisecond. */
    public static double seconds(Duration duration) {
        return rounded(duration.toNanos() / 1e9);
    }

    /** To four places. */
    public static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }
}
