package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.TokenGrid;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Arrays;

/**
 * Which tokens of an image a block saw as one in a step.
 *
 * <p>Where keys and values are sampled (ToDo), nothing is merged: each token that is kept is a group of its own, and
 * those that are dropped belong to none.
 */
public final class MergeMap {
    /** The group of a token that belongs to none. */
    public static final int DROPPED = -1;

    private static final int DROPPED_RGB = 0x000000;

    /** Hues a golden angle apart: neighbouring numbers differ as much as they can. */
    private static final float HUE_STEP = 0.618034f;

    private final String block;
    private final int step;
    private final TokenGrid grid;
    private final int pixelsPerToken;
    private final int[] groups;
    private final int count;

    /**
     * @param downsample how many times smaller than the latents the block's feature map is
     * @param numbers for each token of the grid any number that its group has alone, or a negative one for no group
     */
    MergeMap(String block, int step, TokenGrid grid, int downsample, long[] numbers) {
        if (numbers.length != grid.tokens()) {
            throw new IllegalArgumentException(
                    numbers.length + " group numbers for the " + grid.tokens() + " tokens of " + grid);
        }
        this.block = block;
        this.step = step;
        this.grid = grid;
        this.pixelsPerToken = Request.PIXELS_PER_LATENT * downsample;
        long[] distinct = Arrays.stream(numbers)
                .filter(number -> number >= 0)
                .sorted()
                .distinct()
                .toArray();
        this.count = distinct.length;
        this.groups = Arrays.stream(numbers)
                .mapToInt(number -> number < 0 ? DROPPED : Arrays.binarySearch(distinct, number))
                .toArray();
    }

    /** The block's name in the model. */
    public String block() {
        return block;
    }

    /** The step, from 0. */
    public int step() {
        return step;
    }

    /** The tokens' rows and columns. */
    public TokenGrid grid() {
        return grid;
    }

    /** How many groups there are: the tokens left after merging. */
    public int groups() {
        return count;
    }

    /**
     * The group of a token.
     *
     * @param token a number in the grid, row by row
     * @return from 0 to {@link #groups()} - 1, or {@link #DROPPED}
     */
    public int group(int token) {
        return groups[token];
    }

    /** The tokens in each group. */
    public int[] sizes() {
        int[] sizes = new int[count];
        for (int group : groups) {
            if (group != DROPPED) {
                sizes[group]++;
            }
        }
        return sizes;
    }

    /**
     * Draws the groups over the image in the manner of arXiv 2210.09461 (figures 4 and 8): each is filled with the mean
     * of its pixels' sRGB values. The pixels along the border of a merged group have a colour by which the group's parts
     * can be told wherever they lie; a token that stayed alone has a border of its own colour, darker. Dropped tokens
     * are black.
     *
     * @param image the image that was made in that run
     * @throws IllegalArgumentException if the image does not have the tokens' size
     */
    public BufferedImage draw(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        if (tokensAcross(width) != grid.width() || tokensAcross(height) != grid.height()) {
            throw new IllegalArgumentException("An image of " + width + " x " + height + " pixels has no "
                    + grid.width() + " x " + grid.height() + " tokens of " + pixelsPerToken + " pixels");
        }
        int[] pixels = image.getRGB(0, 0, width, height, null, 0, width);
        int[] fill = meanColours(pixels, width);
        int[] border = borderColours(fill);
        BufferedImage map = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int group = groupAt(x, y);
                int rgb = DROPPED_RGB;
                if (group != DROPPED) {
                    rgb = isBorder(x, y, width, height, group) ? border[group] : fill[group];
                }
                map.setRGB(x, y, rgb);
            }
        }
        return map;
    }

    private int tokensAcross(int pixels) {
        return (pixels + pixelsPerToken - 1) / pixelsPerToken;
    }

    private int groupAt(int x, int y) {
        return groups[y / pixelsPerToken * grid.width() + x / pixelsPerToken];
    }

    private boolean isBorder(int x, int y, int width, int height, int group) {
        return (x > 0 && groupAt(x - 1, y) != group)
                || (y > 0 && groupAt(x, y - 1) != group)
                || (x + 1 < width && groupAt(x + 1, y) != group)
                || (y + 1 < height && groupAt(x, y + 1) != group);
    }

    private int[] meanColours(int[] pixels, int width) {
        long[] sums = new long[3 * count];
        long[] inGroup = new long[count];
        for (int i = 0; i < pixels.length; i++) {
            int group = groupAt(i % width, i / width);
            if (group != DROPPED) {
                sums[3 * group] += pixels[i] >> 16 & 0xff;
                sums[3 * group + 1] += pixels[i] >> 8 & 0xff;
                sums[3 * group + 2] += pixels[i] & 0xff;
                inGroup[group]++;
            }
        }
        int[] colours = new int[count];
        for (int group = 0; group < count; group++) {
            colours[group] = mean(sums[3 * group], inGroup[group]) << 16
                    | mean(sums[3 * group + 1], inGroup[group]) << 8
                    | mean(sums[3 * group + 2], inGroup[group]);
        }
        return colours;
    }

    private static int mean(long sum, long pixels) {
        return (int) Math.rint((double) sum / pixels);
    }

    private int[] borderColours(int[] fill) {
        int[] sizes = sizes();
        int[] colours = new int[count];
        for (int group = 0; group < count; group++) {
            colours[group] = sizes[group] == 1
                    ? new Color(fill[group]).darker().getRGB()
                    : Color.HSBtoRGB(group * HUE_STEP, 0.9f, 1f);
        }
        return colours;
    }
}
