package io.tome4j.kernels;

import java.util.SplittableRandom;

/** A problem small enough to be computed at every start, with all that an attention kernel is to handle. */
final class SelfTest {
    private static final int ROWS = 67;
    private static final int KEYS = 101;
    private static final int SIZE = 24;
    private static final float SCALE = 0.2f;

    /** Of values up to 0.5: a few times what rounding to bf16 costs. */
    private static final double TOLERANCE = 0.005;

    /** The first and the last row, and those where one tile ends and the next begins. */
    private static final int[] COMPARED = {0, 63, 64, 66};

    private final NativeMemory memory;
    private final int queries;
    private final int keys;
    private final int values;
    private final int mask;
    private final int bias;
    private final int out;
    private final int scratch;

    /** Attention of a head; the second argument is the address of memory it may use. */
    interface Attention {
        void attend(AttentionHead head, long scratch);
    }

    private SelfTest() {
        long scratchBytes = NativeCalls.scratchBytes(KEYS, SIZE);
        long numbers = 2L * ROWS * SIZE + 2L * KEYS * SIZE + ROWS * KEYS;
        long bytes = numbers * Short.BYTES + KEYS * Float.BYTES + scratchBytes;
        this.memory = new NativeMemory(bytes + 7 * NativeMemory.bytesOf(0), NativeCalls::address);
        var random = new SplittableRandom(1);
        this.queries = memory.fill(random, ROWS * SIZE, 4);
        this.keys = memory.fill(random, KEYS * SIZE, 4);
        this.values = memory.fill(random, KEYS * SIZE, 1);
        this.mask = memory.fill(random, ROWS * KEYS, 2);
        this.bias = memory.take(KEYS * Float.BYTES);
        for (int key = 0; key < KEYS; key++) {
            memory.putFp32(bias, key, (float) random.nextDouble(3));
        }
        this.out = memory.take(ROWS * SIZE * Short.BYTES);
        this.scratch = memory.take(scratchBytes);
    }

    static boolean passes(Attention attention) {
        return new SelfTest().agrees(attention);
    }

    private boolean agrees(Attention attention) {
        var head = new AttentionHead(
                memory.matrix(queries, SIZE),
                memory.matrix(keys, SIZE),
                memory.matrix(values, SIZE),
                memory.matrix(out, SIZE),
                memory.matrix(mask, KEYS),
                memory.address(bias),
                ROWS,
                KEYS,
                SIZE,
                SCALE);
        attention.attend(head, memory.address(scratch));
        for (int row : COMPARED) {
            double[] expected = row(row);
            for (int column = 0; column < SIZE; column++) {
                double difference = Math.abs(memory.bf16(out, row * SIZE + column) - expected[column]);
                if (!(difference <= TOLERANCE)) { // NaN neither
                    return false;
                }
            }
        }
        return true;
    }

    /** What the formula says of a row. */
    private double[] row(int row) {
        double[] sums = new double[SIZE];
        double total = 0;
        for (int key = 0; key < KEYS; key++) {
            double score = memory.bf16(mask, row * KEYS + key) + memory.fp32(bias, key);
            for (int i = 0; i < SIZE; i++) {
                score += SCALE * memory.bf16(queries, row * SIZE + i) * memory.bf16(keys, key * SIZE + i);
            }
            double weight = Math.exp(score);
            total += weight;
            for (int i = 0; i < SIZE; i++) {
                sums[i] += weight * memory.bf16(values, key * SIZE + i);
            }
        }
        for (int i = 0; i < SIZE; i++) {
            sums[i] /= total;
        }
        return sums;
    }
}
