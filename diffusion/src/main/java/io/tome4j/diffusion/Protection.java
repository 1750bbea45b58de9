package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.merging.ProtectedTokens;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import java.util.Optional;

/** Which tokens of a pass are not merged: those of the mask that a request brings, and those of what is repainted. */
final class Protection {
    private static final int HALF_WHITE = 128;

    private Protection() {}

    /**
     * Finds out whether a request's mask can be used.
     *
     * @param grid of the first pass
     * @param options how tokens are merged
     * @throws OptionException if it is neither of the size of the image that is made nor of that of the initial image, what it
     *     shows is cropped, nothing is merged, or the method cannot leave tokens out
     */
    static void require(Request request, TokenGrid grid, ToMeOptions options) {
        if (request.protection().isEmpty()) {
            return;
        }
        if (!options.merges()) {
            throw new OptionException(
                    "{protect} says what is not merged, and nothing is: leave it out, or turn merging on");
        }
        if (request.paddingMaskCrop() >= 0 || !request.extend().isEmpty()) {
            throw new OptionException(
                    "{protect} does not go with {padding_mask_crop} or {extend}, which do not leave the image"
                            + " in its place: what is repainted is protected without it");
        }
        Pixels mask = request.protection().get().pixels();
        int width = grid.width() * Request.PIXELS_PER_LATENT;
        int height = grid.height() * Request.PIXELS_PER_LATENT;
        boolean asInitial = request.start() instanceof ImageStart start
                && start.image().pixels().width() == mask.width()
                && start.image().pixels().height() == mask.height();
        if (!asInitial && (mask.width() != width || mask.height() != height)) {
            throw new OptionException("{protect} has " + mask.width() + " x " + mask.height()
                    + " pixels: it must have the image's size, " + width + " x " + height
                    + (request.start() instanceof ImageStart ? ", or that of the initial image" : ""));
        }
    }

    /**
     * The tokens of a pass.
     *
     * @param repainted what is repainted, at the pass's size; empty if nothing is, or all
     * @param options how tokens are merged; what is repainted is left out only where that is possible
     * @param grid of the pass
     */
    static ProtectedTokens of(Request request, Optional<Pixels> repainted, ToMeOptions options, TokenGrid grid) {
        ProtectedTokens asked = request.protection()
                .map(mask -> white(mask.pixels().toGrey(), grid))
                .orElse(ProtectedTokens.NONE);
        return request.protectRepainted() && options.merges() && options.canProtect()
                ? asked.and(repainted.map(grey -> white(grey, grid)).orElse(ProtectedTokens.NONE))
                : asked;
    }

    /** A place is protected if any of its pixels is at least half white. */
    private static ProtectedTokens white(Pixels grey, TokenGrid grid) {
        boolean[] regions = new boolean[grid.tokens()];
        for (int y = 0; y < grid.height(); y++) {
            for (int x = 0; x < grid.width(); x++) {
                regions[y * grid.width() + x] = isWhite(grey, grid, x, y);
            }
        }
        return ProtectedTokens.of(grid, regions);
    }

    private static boolean isWhite(Pixels grey, TokenGrid grid, int x, int y) {
        int bottom = last(y, grid.height(), grey.height());
        int right = last(x, grid.width(), grey.width());
        for (int row = first(y, grid.height(), grey.height()); row <= bottom; row++) {
            for (int column = first(x, grid.width(), grey.width()); column <= right; column++) {
                if (grey.at(column, row, 0) >= HALF_WHITE) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The first pixel along a side that a place has a part of. */
    private static int first(int place, int places, int pixels) {
        return (int) ((long) place * pixels / places);
    }

    private static int last(int place, int places, int pixels) {
        return (int) (((long) (place + 1) * pixels - 1) / places);
    }
}
