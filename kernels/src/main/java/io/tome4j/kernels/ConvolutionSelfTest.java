package io.tome4j.kernels;

import java.util.SplittableRandom;

/** A convolution small enough to be computed at every start: two images of odd sides, and groups of unequal width. */
final class ConvolutionSelfTest {
    private static final int IMAGES = 2;
    private static final int HEIGHT = 9;
    private static final int WIDTH = 11;
    private static final int IN = 48;
    private static final int OUT = 80;

    /** Of results of about 1: a few times what rounding to bf16 costs. */
    private static final double TOLERANCE = 0.03;

    private final NativeMemory memory;
    private final int x;
    private final int weights;
    private final int bias;
    private final int arranged;
    private final int result;
    private final int scratch;

    /** The last steps of a convolution, all of its tiles and groups. */
    interface Computing {
        void compute(Convolution convolution, long scratch);
    }

    private ConvolutionSelfTest(WinogradConvolution kernel) {
        int pixels = IMAGES * HEIGHT * WIDTH;
        long bytes =
                2L * (pixels * (IN + OUT) + 9 * IN * OUT + OUT) + kernel.weightBytes(IN, OUT) + kernel.scratchBytes(IN);
        this.memory = new NativeMemory(bytes + 6 * NativeMemory.bytesOf(0), NativeCalls::address);
        var random = new SplittableRandom(1);
        this.x = memory.fill(random, pixels * IN, 2);
        this.weights = memory.fill(random, 9 * IN * OUT, 0.3);
        this.bias = memory.fill(random, OUT, 1);
        this.arranged = memory.take(kernel.weightBytes(IN, OUT));
        this.result = memory.take(2L * pixels * OUT);
        this.scratch = memory.take(kernel.scratchBytes(IN));
        kernel.arrange(memory.address(weights), IN, OUT, 0, OUT, memory.address(arranged));
    }

    static boolean passes(WinogradConvolution kernel) {
        long tiles = kernel.tiles(IMAGES, HEIGHT, WIDTH);
        long groups = kernel.groups(OUT);
        return passes(kernel, (c, scratch) -> kernel.convolve(c, 0, tiles, 0, groups, scratch));
    }

    static boolean passes(WinogradConvolution kernel, Computing computing) {
        return new ConvolutionSelfTest(kernel).agrees(computing);
    }

    private boolean agrees(Computing computing) {
        var convolution = new Convolution(
                memory.address(x),
                memory.address(arranged),
                memory.address(bias),
                memory.address(result),
                IMAGES,
                HEIGHT,
                WIDTH,
                IN,
                OUT);
        computing.compute(convolution, memory.address(scratch));
        for (int pixel = IMAGES * HEIGHT * WIDTH - 1; pixel >= 0; pixel -= 7) { // all places within a tile, and edges
            for (int channel = 0; channel < OUT; channel += 5) {
                double difference = Math.abs(memory.bf16(result, pixel * OUT + channel) - expected(pixel, channel));
                if (!(difference <= TOLERANCE)) { // NaN neither
                    return false;
                }
            }
        }
        return true;
    }

    /** What the definition says. */
    private double expected(int pixel, int channel) {
        int row = pixel / WIDTH % HEIGHT;
        int column = pixel % WIDTH;
        double sum = memory.bf16(bias, channel);
        for (int filterRow = 0; filterRow < 3; filterRow++) {
            for (int filterColumn = 0; filterColumn < 3; filterColumn++) {
                int seenRow = row + filterRow - 1;
                int seenColumn = column + filterColumn - 1;
                if (seenRow >= 0 && seenRow < HEIGHT && seenColumn >= 0 && seenColumn < WIDTH) {
                    int seen = pixel + (filterRow - 1) * WIDTH + filterColumn - 1;
                    sum += product(seen, (channel * 3 + filterRow) * 3 + filterColumn);
                }
            }
        }
        return sum;
    }

    private double product(int pixel, int filter) {
        double sum = 0;
        for (int i = 0; i < IN; i++) {
            sum += memory.bf16(x, pixel * IN + i) * memory.bf16(weights, filter * IN + i);
        }
        return sum;
    }
}
