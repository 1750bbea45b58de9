package io.tome4j.kernels;

import java.util.Random;

/** A head of attention in native memory, whose rows do not follow each other without gaps, and what comes out. */
final class HeadProblem {
    final int rows;
    final int count;
    final int size;
    final float[] queries;
    final float[] keys;
    final float[] values;

    /** Added to the scores: [rows, count], and [count]. Empty: nothing. */
    float[] mask = {};

    float[] bias = {};

    private float scale;

    HeadProblem(long seed, int rows, int count, int size) {
        var random = new Random(seed);
        this.rows = rows;
        this.count = count;
        this.size = size;
        this.queries = normal(random, rows * size);
        this.keys = normal(random, count * size);
        this.values = normal(random, count * size);
        this.scale = (float) (1 / Math.sqrt(size));
    }

    /** Normally distributed numbers that bf16 has. */
    static float[] normal(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = Float.intBitsToFloat(Float.floatToIntBits((float) random.nextGaussian()) & 0xffff0000);
        }
        return numbers;
    }

    HeadProblem scale(double value) {
        this.scale = (float) value;
        return this;
    }

    /** What a library makes of it, [rows, size]. */
    float[] solve(LibraryUnderTest library) {
        return solve(library, 0, rows);
    }

    /** The rows from {@code from} to {@code to} of the same, each computed by itself; the rest stays 0. */
    float[] solve(LibraryUnderTest library, int from, int to) {
        int stride = size + 24;
        int maskStride = count + 5;
        long scratchBytes = library.scratchBytes(count, size);
        long bytes = 2L * (2 * rows * stride + 2 * count * stride + rows * maskStride) + 4 * count + scratchBytes;
        var memory = new NativeMemory(bytes + 7 * NativeMemory.bytesOf(0), library::address);
        int q = put(memory, queries, rows, size, stride);
        int k = put(memory, keys, count, size, stride);
        int v = put(memory, values, count, size, stride);
        int m = put(memory, mask, mask.length == 0 ? 0 : rows, count, maskStride);
        int b = memory.take(4L * bias.length);
        for (int i = 0; i < bias.length; i++) {
            memory.putFp32(b, i, bias[i]);
        }
        int out = memory.take(2L * rows * stride);
        int scratch = memory.take(scratchBytes);
        var head = new AttentionHead(
                memory.matrix(q, stride),
                memory.matrix(k, stride),
                memory.matrix(v, stride),
                memory.matrix(out, stride),
                mask.length == 0 ? Matrix.NONE : memory.matrix(m, maskStride),
                bias.length == 0 ? 0 : memory.address(b),
                rows,
                count,
                size,
                scale);
        library.attend(head.range(from, to), memory.address(scratch));
        float[] result = new float[rows * size];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < stride; i++) {
                if (i < size) {
                    result[row * size + i] = memory.bf16(out, row * stride + i);
                } else if (memory.bf16(out, row * stride + i) != 0) {
                    throw new AssertionError("written behind row " + row);
                }
            }
        }
        return result;
    }

    private static int put(NativeMemory memory, float[] numbers, int rows, int columns, int stride) {
        int part = memory.take(2L * rows * stride);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < stride; i++) {
                // what lies between rows must not be looked at
                memory.putBf16(part, row * stride + i, i < columns ? numbers[row * columns + i] : Float.NaN);
            }
        }
        return part;
    }

    /** What the formula says, in double precision, of the queries as the kernel sees them. */
    double[] expected() {
        double[] out = new double[rows * size];
        for (int row = 0; row < rows; row++) {
            double[] scores = new double[count];
            double largest = Double.NEGATIVE_INFINITY;
            for (int key = 0; key < count; key++) {
                for (int i = 0; i < size; i++) {
                    scores[key] += queries[row * size + i] * (double) keys[key * size + i];
                }
                scores[key] = scores[key] * scale
                        + (mask.length == 0 ? 0 : mask[row * count + key])
                        + (bias.length == 0 ? 0 : bias[key]);
                largest = Math.max(largest, scores[key]);
            }
            double total = 0;
            for (int key = 0; key < count; key++) {
                double weight = Math.exp(scores[key] - largest);
                total += weight;
                for (int i = 0; i < size; i++) {
                    out[row * size + i] += weight * values[key * size + i];
                }
            }
            for (int i = 0; i < size; i++) {
                out[row * size + i] /= total;
            }
        }
        return out;
    }

    /** The root of the mean squared difference of two results, against that of the second. */
    static double error(float[] actual, double[] expected) {
        double difference = 0;
        double all = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            all += expected[i] * expected[i];
        }
        return Math.sqrt(difference / all);
    }
}
