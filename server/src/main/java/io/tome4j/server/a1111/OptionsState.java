package io.tome4j.server.a1111;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.queue.ServedModel;

/**
 * The options that hold for requests that do not say: which model, and how to merge.
 *
 * @param model what is run
 * @param merging for text to image
 * @param ratioImg2img its ratio for image to image; 0 for the same
 * @param ratioHr its ratio for the second pass of text to image; 0 for none there
 * @param clipSkip the last of the text encoder's layers that are left out; 0 for none
 * @param format what images are sent as
 */
record OptionsState(
        ServedModel model, ToMeOptions merging, double ratioImg2img, double ratioHr, int clipSkip, ImageFormat format) {

    OptionsState model(ServedModel value) {
        return new OptionsState(value, merging, ratioImg2img, ratioHr, clipSkip, format);
    }

    OptionsState merging(ToMeOptions value) {
        return new OptionsState(model, value, ratioImg2img, ratioHr, clipSkip, format);
    }

    OptionsState ratioImg2img(double value) {
        return new OptionsState(model, merging, value, ratioHr, clipSkip, format);
    }

    OptionsState ratioHr(double value) {
        return new OptionsState(model, merging, ratioImg2img, value, clipSkip, format);
    }

    OptionsState clipSkip(int value) {
        return new OptionsState(model, merging, ratioImg2img, ratioHr, value, format);
    }

    OptionsState format(ImageFormat value) {
        return new OptionsState(model, merging, ratioImg2img, ratioHr, clipSkip, value);
    }
}
