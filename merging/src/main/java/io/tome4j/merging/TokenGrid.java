package io.tome4j.merging;

/**
 * The rows and columns of an image's tokens; token {@code (y, x)} is number {@code y * width + x} of the sequence.
 *
 * @param height rows, at least 1
 * @param width columns, at least 1
 */
public record TokenGrid(int height, int width) {
    public TokenGrid {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException("A token grid of " + height + " x " + width + " holds no tokens");
        }
    }

    public int tokens() {
        return height * width;
    }

    /** The grid after so much downsampling by halves, each of which rounds up: {@code factor} is 1, 2, 4 or 8. */
    public TokenGrid downsample(int factor) {
        TokenGrid grid = this;
        for (int f = factor; f > 1; f /= 2) {
            grid = new TokenGrid((grid.height + 1) / 2, (grid.width + 1) / 2);
        }
        return grid;
    }

    /** How many destinations cells of {@code sx} by {@code sy} give: cells that do not fit whole have none. */
    public int destinations(int sx, int sy) {
        return (height / sy) * (width / sx);
    }

    /**
     * How many tokens are merged away.
     *
     * @param ratio the share asked for, in [0, 1]
     * @return {@code ratio} of the tokens, rounded down, but no more than there are sources
     */
    public int merged(double ratio, int sx, int sy) {
        int destinations = destinations(sx, sy);
        return destinations == 0 ? 0 : Math.min((int) (tokens() * ratio), tokens() - destinations);
    }
}
