package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * By what a kept image is found, and known to be the one that is looked for.
 *
 * @param file where it lies in the store, without an ending: {@code images/0003-tome-0.5}
 * @param identity what it was made from and the store's own settings do not tell, by name
 * @param width in pixels
 * @param height in pixels
 */
public record ResultKey(String file, Map<String, String> identity, int width, int height) {
    public ResultKey {
        identity = Collections.unmodifiableMap(new LinkedHashMap<>(identity));
    }

    /** The key of a request's first image, made with savings. */
    public static ResultKey of(String file, Request request, Savings savings) {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("prompt", request.prompts().get(0));
        identity.put("seed", String.valueOf(request.seed()));
        identity.put("merging", savings.merging().identity());
        savings.changed().forEach(option -> identity.put(option.name(), savings.text(option)));
        return new ResultKey(file, identity, request.width(), request.height());
    }
}
