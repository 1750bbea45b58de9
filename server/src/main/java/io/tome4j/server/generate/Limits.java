package io.tome4j.server.generate;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.TokenGrid;
import io.tome4j.server.http.HttpError;
import io.tome4j.tensor.Option;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * How much a request may ask for.
 *
 * @param maxPixels of an image
 * @param fits whether a larger image is made smaller instead of being refused
 * @param maxSteps denoising steps
 * @param maxImages images of one request
 * @param maxPrompt characters of a prompt
 */
public record Limits(long maxPixels, boolean fits, int maxSteps, int maxImages, int maxPrompt) {
    /** For who says nothing else. */
    public static final Limits USUAL = new Limits(2048L * 2048, false, 150, 16, 20_000);

    /** Pixels of an image that clients send, at most: it is decoded to four bytes each. */
    public static final long MOST_PIXELS_SENT = 4096L * 4096;

    private static final int LARGEST_OWN = 1024; // a side that models have where nothing is said
    private static final int STEP = Request.PIXELS_PER_LATENT;
    private static final TokenGrid OWN = new TokenGrid(LARGEST_OWN / STEP, LARGEST_OWN / STEP);
    private static final List<Option<String>> PROMPTS =
            List.of(Request.NEGATIVE_PROMPT, Request.PROMPT_2, Request.NEGATIVE_PROMPT_2);

    /**
     * A request within the limits.
     *
     * @param names what the API calls the library's options
     * @throws HttpError that names the field that asks for too much
     */
    public Request apply(Request request, int images, UnaryOperator<String> names) {
        require(request.steps() <= maxSteps, Request.STEPS.name(), request.steps(), maxSteps, names);
        require(request.hiresSteps() <= maxSteps, Request.HIRES_STEPS.name(), request.hiresSteps(), maxSteps, names);
        require(images <= maxImages, Request.IMAGES_PER_PROMPT.name(), images, maxImages, names);
        require(images >= 1, Request.IMAGES_PER_PROMPT.name(), images, 1, names);
        for (String prompt : request.prompts()) {
            requireLength("prompt", prompt, names);
        }
        for (Option<String> text : PROMPTS) {
            requireLength(text.name(), request.get(text), names);
        }
        long pixels = pixels(request);
        if (pixels <= maxPixels) {
            return request;
        }
        if (request.width() == 0 || request.height() == 0) {
            throw HttpError.field(
                    names.apply("width"),
                    "The image may have more pixels than " + maxPixels
                            + ", which this server makes at most: say width and height");
        }
        if (!fits || pixels != (long) request.width() * request.height()) {
            throw HttpError.field(
                    names.apply("width"),
                    request.width() + " x " + request.height() + " are " + pixels
                            + " pixels: this server makes images of at" + " most " + maxPixels);
        }
        double scale = Math.sqrt((double) maxPixels / pixels);
        return request.size(scaled(request.width(), scale), scaled(request.height(), scale));
    }

    /** Of the image that comes out, with what is painted around it, enlarged; 0 where all of its size is the model's own. */
    private static long pixels(Request request) {
        boolean grows = request.hires() > 1 || !request.extend().isEmpty();
        boolean isOwn = request.width() == 0 && request.height() == 0;
        if (isOwn && !grows && !request.start().beginsWithImage()) {
            return 0;
        }
        TokenGrid grid = request.latentGrid(OWN);
        String[] around = (request.extend().isEmpty() ? "0,0,0,0" : request.extend()).split(",", -1);
        long width = side(grid.width(), request.width(), around[0], around[2], request);
        long height = side(grid.height(), request.height(), around[1], around[3], request);
        double pixels = (double) width * height * request.hires() * request.hires();
        return (long) Math.min(pixels, Long.MAX_VALUE);
    }

    /** @param said 0 for an own size, which of an image counts what is painted around it already */
    private static long side(int latents, int said, String before, String after, Request request) {
        long side = (long) latents * STEP;
        boolean counted = said == 0 && request.start().beginsWithImage();
        return counted ? side : side + Integer.parseInt(before.strip()) + Integer.parseInt(after.strip());
    }

    private static int scaled(int side, double scale) {
        return Math.max(STEP, (int) (side * scale) / STEP * STEP);
    }

    private static void require(boolean within, String option, int value, int limit, UnaryOperator<String> names) {
        if (!within) {
            String field = names.apply(option);
            throw HttpError.field(
                    field,
                    field + " is " + value + ": it must be " + (value > limit ? "at most " : "at least ") + limit);
        }
    }

    private void requireLength(String option, String text, UnaryOperator<String> names) {
        if (text.length() > maxPrompt) {
            String field = names.apply(option);
            throw HttpError.field(
                    field, field + " has " + text.length() + " characters: it may have at most " + maxPrompt);
        }
    }
}
