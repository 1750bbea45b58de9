package io.tome4j.diffusion.scheduler;

import java.util.ArrayList;
import java.util.List;

/**
 * Seeds that are spread from one: the algorithm of NumPy's {@code SeedSequence} (after O'Neill's "Developing a seed_seq
 * alternative") with a pool of 24 words, as torchsde asks for.
 */
final class SeedSequence {
    private static final int POOL = 24;
    private static final int SEEDS = 4;
    private static final int INIT_A = 0x43b0d7e5;
    private static final int MULT_A = 0x931e8875;
    private static final int INIT_B = 0x8b51f9dd;
    private static final int MULT_B = 0x58f38ded;
    private static final int MIX_LEFT = 0xca01f9dd;
    private static final int MIX_RIGHT = 0x4973f715;
    private static final int SHIFT = 16;

    private int hash = INIT_A;

    private SeedSequence() {}

    /**
     * The first four seeds.
     *
     * @param entropy at least 0
     * @param spawnKey tells those of one entropy apart
     * @return four, each from 0 to 2<sup>32</sup> - 1
     */
    static long[] of(long entropy, long... spawnKey) {
        List<Integer> words = new ArrayList<>(words(entropy));
        if (spawnKey.length > 0) {
            while (words.size() < POOL) {
                words.add(0);
            }
            for (long key : spawnKey) {
                words.addAll(words(key));
            }
        }
        return seeds(new SeedSequence().mixed(words));
    }

    /** The 32-bit words of a number, lowest first; one at least. */
    private static List<Integer> words(long number) {
        List<Integer> words = new ArrayList<>();
        words.add((int) number);
        if (number >>> 32 != 0) {
            words.add((int) (number >>> 32));
        }
        return words;
    }

    private int[] mixed(List<Integer> entropy) {
        int[] pool = new int[POOL];
        for (int i = 0; i < POOL; i++) {
            pool[i] = hashed(i < entropy.size() ? entropy.get(i) : 0);
        }
        for (int from = 0; from < POOL; from++) {
            for (int to = 0; to < POOL; to++) {
                if (from != to) {
                    pool[to] = mix(pool[to], hashed(pool[from]));
                }
            }
        }
        for (int from = POOL; from < entropy.size(); from++) {
            for (int to = 0; to < POOL; to++) {
                pool[to] = mix(pool[to], hashed(entropy.get(from)));
            }
        }
        return pool;
    }

    private int hashed(int word) {
        int value = word ^ hash;
        hash *= MULT_A;
        value *= hash;
        return value ^ value >>> SHIFT;
    }

    private static int mix(int x, int y) {
        int value = MIX_LEFT * x - MIX_RIGHT * y;
        return value ^ value >>> SHIFT;
    }

    private static long[] seeds(int[] pool) {
        long[] seeds = new long[SEEDS];
        int hash = INIT_B;
        for (int i = 0; i < SEEDS; i++) {
            int value = pool[i] ^ hash;
            hash *= MULT_B;
            value *= hash;
            seeds[i] = (value ^ value >>> SHIFT) & 0xffffffffL;
        }
        return seeds;
    }
}
