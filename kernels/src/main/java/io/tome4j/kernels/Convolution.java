package io.tome4j.kernels;

/**
 * A convolution of 3x3 with a stride and a padding of 1: what it computes from and where its result goes. All numbers are
 * bf16, and channels lie side by side, then columns, rows and images.
 *
 * @param x address of {@code [images, height, width, in]}
 * @param weights address of what {@link WinogradConvolution#arrange} wrote
 * @param bias address of {@code [out]}
 * @param result address of {@code [images, height, width, out]}
 * @param images at least 1
 * @param height of an image, at least 1
 * @param width of an image, at least 1
 * @param in channels
 * @param out channels
 */
public record Convolution(
        long x, long weights, long bias, long result, long images, long height, long width, long in, long out) {}
