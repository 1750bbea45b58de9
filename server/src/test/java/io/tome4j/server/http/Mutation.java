package io.tome4j.server.http;

import io.tome4j.server.Served;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/** Requests with something wrong. */
final class Mutation {
    private static final List<String> VALUES = List.of(
            "null",
            "-1",
            "0",
            "1e309",
            "NaN",
            "\"\"",
            "[]",
            "{}",
            "true",
            "99999999999999999999",
            "-0.0",
            "\"\\u0000\"",
            "[[[[[[]]]]]]",
            "{\"a\": {\"b\": []}}",
            "\"../../etc/passwd\"",
            "\"<script>\"",
            "\"%s%n\"",
            "\"{seed}\"",
            "\"\\ud800\"",
            "2147483648",
            "-9223372036854775808",
            "1e-999999999",
            "\"data:image/png;base64,AAAA\"",
            "{\"ControlNet\": {\"args\": [{\"model\": \"x\", \"image\": \"AAAA\"}]}}",
            "{\"controlnet\": {\"args\": [[], 1, \"x\"]}}",
            "{\"CLIP_stop_at_last_layers\": 1e9}",
            "[\"AAAA\"]",
            "\"" + "x".repeat(3000) + "\"");

    private static final List<String> NAMES = List.of(
            "prompt",
            "steps",
            "seed",
            "width",
            "height",
            "batch_size",
            "n",
            "size",
            "sampler_name",
            "scheduler",
            "infotext",
            "override_settings",
            "token_merging",
            "alwayson_scripts",
            "image",
            "cfg_scale",
            "n_iter",
            "stream",
            "styles",
            "num_inference_steps",
            "output_format",
            "partial_images",
            "merge_map",
            "unmerged",
            "merged",
            "reuse_every",
            "guidance_from",
            "prompt_syntax",
            "token_merging_ratio",
            "model",
            "save_images",
            "mask",
            "init_images",
            "strength",
            "clip_skip",
            "refiner_checkpoint",
            "mask_blur",
            "extend",
            "hires",
            "controlnet_images",
            "controlnet_processor_res",
            "text");

    private static final List<String> PATHS = List.of(
            "/sdapi/v1/txt2img",
            "/sdapi/v1/img2img",
            "/sdapi/v1/options",
            "/sdapi/v1/png-info",
            "/controlnet/detect",
            "/sdapi/v1/interrupt",
            "/v1/images/generations",
            "/v1/images/edits",
            "/tome4j/v1/parameters",
            "/tome4j/v1/compare",
            "/tome4j/v1/generate",
            "/tome4j/v1/jobs/x/interrupt",
            "/tome4j/v1/jobs/99999999999999999999/interrupt",
            "/sdapi/v1/%F0%9F%A6%8A",
            "/sdapi/v1/txt2img/",
            "/v1/models/%00",
            "/",
            "/v1/images/generations?seed=x");

    private Mutation() {}

    /** A text with some of its bytes changed, or, of JSON, some of its values. */
    static byte[] of(Random random, String text) {
        if (text.startsWith("{") && random.nextBoolean()) {
            return withValues(random, text).getBytes(StandardCharsets.UTF_8);
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int i = random.nextInt(8); i >= 0 && bytes.length > 1; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes = java.util.Arrays.copyOf(bytes, at + 1);
                case 2 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                default -> bytes = twice(bytes, at);
            }
        }
        return bytes;
    }

    private static byte[] twice(byte[] bytes, int from) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(bytes);
        out.write(bytes, from, Math.min(100, bytes.length - from));
        return out.toByteArray();
    }

    private static String withValues(Random random, String text) {
        try {
            var json = (com.fasterxml.jackson.databind.node.ObjectNode) Served.JSON.readTree(text);
            StringBuilder changed = new StringBuilder(json.toString());
            changed.setLength(changed.length() - 1);
            for (int i = random.nextInt(3); i >= 0; i--) { // of a field that is there twice the last counts
                changed.append(", \"")
                        .append(NAMES.get(random.nextInt(NAMES.size())))
                        .append("\": ")
                        .append(VALUES.get(random.nextInt(VALUES.size())));
            }
            return changed.append("}").toString();
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static String path(Random random) {
        return PATHS.get(random.nextInt(PATHS.size()));
    }

    /** Of letters that may stand in a header. */
    static String header(Random random) {
        StringBuilder text = new StringBuilder("v");
        for (int i = random.nextInt(200); i > 0; i--) {
            text.append((char) ('!' + random.nextInt(90)));
        }
        return text.toString();
    }
}
