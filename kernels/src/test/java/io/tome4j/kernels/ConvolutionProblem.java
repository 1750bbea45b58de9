package io.tome4j.kernels;

import java.util.Random;

/** A convolution in native memory, and what comes out. */
final class ConvolutionProblem {
    private static final float UNTOUCHED = 42;

    final int images;
    final int height;
    final int width;
    final int in;
    final int out;

    /** [images, height, width, in], [out, 3, 3, in], [out] */
    final float[] x;

    final float[] weights;
    final float[] bias;

    ConvolutionProblem(long seed, int images, int height, int width, int in, int out) {
        var random = new Random(seed);
        this.images = images;
        this.height = height;
        this.width = width;
        this.in = in;
        this.out = out;
        this.x = HeadProblem.normal(random, images * height * width * in);
        this.weights = HeadProblem.normal(random, out * 9 * in);
        this.bias = HeadProblem.normal(random, out);
    }

    long tiles() {
        return (long) images * ((height + 1) / 2) * ((width + 1) / 2);
    }

    long groups() {
        return (out / 16 + 3) / 4;
    }

    /** What a library makes of it, [images, height, width, out]. */
    float[] solve(LibraryUnderTest library) {
        return solve(library, 0, tiles(), 0, groups());
    }

    /** Some tiles and groups of it; where nothing is written, 42 stays. */
    float[] solve(LibraryUnderTest library, long firstTile, long endTile, long firstGroup, long endGroup) {
        long arrangedBytes = (long) library.call("winogradWeightBytes", in, out);
        long scratchBytes = (long) library.call("winogradScratchBytes", in);
        int results = images * height * width * out;
        long bytes = 2L * (x.length + weights.length + bias.length + results + 64) + arrangedBytes + scratchBytes;
        var memory = new NativeMemory(bytes + 8 * NativeMemory.bytesOf(0), library::address);
        int pixels = put(memory, x);
        int filters = put(memory, weights);
        int added = put(memory, bias);
        int arranged = memory.take(arrangedBytes);
        int result = memory.take(2L * results);
        int scratch = memory.take(scratchBytes);
        int behind = memory.take(64);
        memory.putFp32(behind, 0, UNTOUCHED);
        for (int i = 0; i < results; i++) {
            memory.putBf16(result, i, UNTOUCHED);
        }
        for (long channel = 0; channel < out; channel += 16) { // as threads do it
            library.call(
                    "winogradArrange",
                    memory.address(filters),
                    in,
                    out,
                    channel,
                    channel + 16,
                    memory.address(arranged));
        }
        library.call(
                "winogradConvolve",
                memory.address(pixels),
                memory.address(arranged),
                memory.address(added),
                memory.address(result),
                images,
                height,
                width,
                in,
                out,
                firstTile,
                endTile,
                firstGroup,
                endGroup,
                memory.address(scratch));
        if (memory.fp32(behind, 0) != UNTOUCHED) {
            throw new AssertionError("written behind the scratch memory");
        }
        float[] numbers = new float[results];
        for (int i = 0; i < results; i++) {
            numbers[i] = memory.bf16(result, i);
        }
        return numbers;
    }

    private static int put(NativeMemory memory, float[] numbers) {
        int part = memory.take(2L * numbers.length);
        for (int i = 0; i < numbers.length; i++) {
            memory.putBf16(part, i, numbers[i]);
        }
        return part;
    }

    /** What the definition says, in double precision. */
    double[] expected() {
        double[] results = new double[images * height * width * out];
        for (int i = 0; i < results.length; i++) {
            int pixel = i / out;
            results[i] = bias[i % out];
            for (int place = 0; place < 9; place++) {
                int row = pixel / width % height + place / 3 - 1;
                int column = pixel % width + place % 3 - 1;
                if (row >= 0 && row < height && column >= 0 && column < width) {
                    int seen = ((pixel / width / height * height + row) * width + column) * in;
                    int filter = (i % out * 9 + place) * in;
                    for (int channel = 0; channel < in; channel++) {
                        results[i] += x[seen + channel] * (double) weights[filter + channel];
                    }
                }
            }
        }
        return results;
    }
}
