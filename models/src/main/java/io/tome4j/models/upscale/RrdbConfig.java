package io.tome4j.models.upscale;

/**
 * The shape of an {@link RrdbNet}.
 *
 * @param features channels of the features
 * @param growth channels that each of a dense block's layers adds
 * @param blocks how many residual-in-residual dense blocks there are
 * @param folded pixels along a side of the square that is folded into channels before the first layer: 1 for none
 * @param doublings how often the features are enlarged twofold
 */
public record RrdbConfig(int features, int growth, int blocks, int folded, int doublings) {
    /** How many times wider and higher the image becomes. */
    public int scale() {
        return (1 << doublings) / folded;
    }
}
