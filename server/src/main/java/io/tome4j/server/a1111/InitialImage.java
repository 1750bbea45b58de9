package io.tome4j.server.a1111;

import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Start;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import java.util.List;
import java.util.Optional;

/** What image to image begins with, and the part of it that is painted anew. */
final class InitialImage {
    private static final double USUAL_STRENGTH = 0.75; // the web UI's own
    private static final double USUAL_BLUR = 4;
    private static final int HALF = 128; // what is lighter is painted anew
    private static final String IMAGES = "init_images";
    private static final String MASK = "mask";

    private InitialImage() {}

    /**
     * The request with what it begins with. Where it does not say its size, it gets the image's own.
     *
     * @throws HttpError 404 if there is no image, 400 if one cannot be read, 422 for what is not done
     */
    static Request apply(Fields fields, Request request) {
        List<String> images = fields.texts(IMAGES);
        if (images.isEmpty()) {
            throw HttpError.of(404, "Init image not found").about(IMAGES);
        }
        if (images.size() > 1) {
            throw HttpError.field(IMAGES, IMAGES + " has " + images.size() + " images: send one");
        }
        requireSupported(fields);
        Pixels image = SentImages.onWhite(SentImages.bytes(images.get(0), IMAGES), IMAGES);
        ImageStart start = Start.from(
                SourceImage.of(image), fields.number("denoising_strength").orElse(USUAL_STRENGTH));
        Request sized = request.size(
                fields.integer("width").orElse(wholeLatents(image.width())),
                fields.integer("height").orElse(wholeLatents(image.height())));
        Optional<String> mask = fields.text(MASK).filter(text -> !text.isBlank());
        return mask.isEmpty() ? sized.start(start) : masked(fields, sized, start, image, mask.get());
    }

    private static int wholeLatents(int pixels) {
        return Math.max(1, pixels / Request.PIXELS_PER_LATENT) * Request.PIXELS_PER_LATENT;
    }

    private static void requireSupported(Fields fields) {
        if (!fields.isNeutral("resize_mode", 0)) {
            throw HttpError.field("resize_mode", "resize_mode can only be 0 here: images are stretched to the size");
        }
        if (!fields.isNeutral("inpainting_fill", 0, 1)) {
            throw HttpError.field(
                    "inpainting_fill", "inpainting_fill can only be 0 or 1 here: the masked part begins as it is");
        }
        if (!fields.isNeutral("initial_noise_multiplier", 1)) {
            throw HttpError.field("initial_noise_multiplier", "initial_noise_multiplier can only be 1 here");
        }
    }

    private static Request masked(Fields fields, Request request, ImageStart start, Pixels image, String base64) {
        byte[] file = SentImages.bytes(base64, MASK);
        Pixels mask = Resampling.NEAREST.resize(SentImages.mask(file, MASK, false), image.width(), image.height());
        boolean inverts = !fields.isNeutral("inpainting_mask_invert", 0, false);
        boolean rounds = fields.flag("mask_round").orElse(true);
        Pixels white = mask.map(level -> {
            int said = rounds ? (level > HALF ? 255 : 0) : level;
            return inverts ? 255 - said : said;
        });
        double blur = fields.number("mask_blur").orElse(USUAL_BLUR);
        for (String side : new String[] {"mask_blur_x", "mask_blur_y"}) {
            if (fields.number(side).orElse(blur) != blur) {
                throw HttpError.field(side, side + " can only be as mask_blur here");
            }
        }
        boolean onlyMasked = fields.flag("inpaint_full_res").orElse(true);
        return request.start(start.repainting(SourceImage.of(white)))
                .with(Request.MASK_BLUR, blur)
                .with(
                        Request.PADDING_MASK_CROP,
                        onlyMasked ? fields.integer("inpaint_full_res_padding").orElse(0) : -1);
    }
}
