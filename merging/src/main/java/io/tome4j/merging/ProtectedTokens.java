package io.tome4j.merging;

import java.util.BitSet;

/**
 * Regions of an image whose tokens are never merged: none of them is merged into another, and no other into it, so that each
 * comes out of merging and unmerging to the bit as it went in. What else may happen to an image's tokens happens to the
 * others:
 *
 * <ul>
 *   <li>Where the token that a cell drew as its destination is protected, the next one of the cell that is not takes its
 *       place, in the order of the grid, beginning again after the last. A cell of protected tokens alone has no destination.
 *   <li>As many tokens are merged away as the ratio says, as long as there are so many sources that are not protected.
 *   <li>At each level a token is protected if any part of the image that it stands for is.
 * </ul>
 *
 * For methods that match tokens ({@link ToMeOptions.Method#TOME}, {@link ToMeOptions.Method#QUERY}); all of the batch's images
 * have the same regions. Immutable.
 */
public final class ProtectedTokens {
    /** Nothing is protected. */
    public static final ProtectedTokens NONE = new ProtectedTokens(new TokenGrid(1, 1), new BitSet());

    private final TokenGrid input;
    private final BitSet regions;

    private ProtectedTokens(TokenGrid input, BitSet regions) {
        this.input = input;
        this.regions = regions;
    }

    /**
     * The regions of a model's input.
     *
     * @param input its rows and columns, as of the latents
     * @param regions which of its places are protected, row by row
     * @throws IllegalArgumentException if there are not as many places
     */
    public static ProtectedTokens of(TokenGrid input, boolean[] regions) {
        if (regions.length != input.tokens()) {
            throw new IllegalArgumentException(
                    regions.length + " places are not the " + input.tokens() + " of " + input);
        }
        BitSet set = new BitSet(regions.length);
        for (int i = 0; i < regions.length; i++) {
            set.set(i, regions[i]);
        }
        return new ProtectedTokens(input, set);
    }

    /** Whether nothing is protected. */
    public boolean isNone() {
        return regions.isEmpty();
    }

    /**
     * What one of both protects.
     *
     * @throws IllegalArgumentException if both protect something, of inputs of other sizes
     */
    public ProtectedTokens and(ProtectedTokens other) {
        if (isNone() || other.isNone()) {
            return isNone() ? other : this;
        }
        if (!input.equals(other.input)) {
            throw new IllegalArgumentException(
                    "Regions of " + input + " and of " + other.input + " do not go together");
        }
        BitSet union = (BitSet) regions.clone();
        union.or(other.regions);
        return new ProtectedTokens(input, union);
    }

    /**
     * Which tokens of a level are protected.
     *
     * @param grid the level's, which the input's comes to by halves that round up
     * @return one for each token; all false where nothing is protected
     * @throws IllegalArgumentException if something is, and the grid is none of the input's levels
     */
    boolean[] at(TokenGrid grid) {
        boolean[] level = new boolean[grid.tokens()];
        if (isNone()) {
            return level;
        }
        int factor = factor(grid);
        regions.stream().forEach(place -> {
            int y = place / input.width() / factor;
            int x = place % input.width() / factor;
            level[y * grid.width() + x] = true;
        });
        return level;
    }

    private int factor(TokenGrid grid) {
        for (int factor = 1; ; factor *= 2) {
            TokenGrid level = input.downsample(factor);
            if (level.equals(grid)) {
                return factor;
            }
            if (level.tokens() == 1) {
                throw new IllegalArgumentException(
                        "Tokens are protected in an input of " + input + ", which has no level of " + grid);
            }
        }
    }

    /** How many tokens of a level may be merged away: those that are neither protected nor a cell's destination. */
    int sources(TokenGrid grid, int sx, int sy) {
        boolean[] level = at(grid);
        int destinations = 0;
        for (int cell = 0; cell < grid.destinations(sx, sy); cell++) {
            destinations += destination(level, grid, sx, sy, cell, 0) < 0 ? 0 : 1;
        }
        int free = 0;
        for (boolean isProtected : level) {
            free += isProtected ? 0 : 1;
        }
        return destinations == 0 ? 0 : free - destinations;
    }

    /**
     * A cell's destination.
     *
     * @param level which tokens are protected
     * @param drawn what was drawn of the cell's tokens
     * @return the token's number; -1 if all of the cell are protected
     */
    static int destination(boolean[] level, TokenGrid grid, int sx, int sy, int cell, int drawn) {
        int columns = grid.width() / sx;
        for (int i = 0; i < sx * sy; i++) {
            int place = (drawn + i) % (sx * sy);
            int y = cell / columns * sy + place / sx;
            int x = cell % columns * sx + place % sx;
            if (!level[y * grid.width() + x]) {
                return y * grid.width() + x;
            }
        }
        return -1;
    }

    @Override
    public String toString() {
        return regions.cardinality() + " of the " + input.tokens() + " places of " + input;
    }
}
