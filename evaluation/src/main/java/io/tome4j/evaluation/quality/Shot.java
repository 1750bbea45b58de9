package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.run.ResultKey;
import java.util.Locale;

/**
 * An image to make.
 *
 * @param number of the prompt, from 0
 * @param prompt what to draw
 * @param setting how to merge
 * @param request what to generate; all shots of a prompt have the same, with its seed
 */
record Shot(int number, Prompt prompt, Setting setting, Request request) {
    /** What to call its file, without an ending: {@code 0003-tome-0.5}. */
    String file() {
        return String.format(Locale.ROOT, "%04d-%s", number, setting.slug());
    }

    /** By what it is kept. */
    ResultKey key() {
        return ResultKey.of("images/" + file(), request, setting.savings());
    }
}
