package io.tome4j.merging;

import io.tome4j.merging.ToMeOptions.MatchPer;
import java.util.Locale;

/**
 * What merging in a block is predicted to save and to cost for one image, in seconds of the machine that the rates were
 * measured on (see docs/measurements.md). Only their ratio matters, and it hardly differs between machines.
 *
 * <p>The rates are constants, not timed at start-up, so that the same request gives the same image everywhere and
 * always: a timed decision would differ from run to run where merging just breaks even.
 */
record MergingCost(double saved, double cost) {
    private static final double ATTENTION = 1 / 195e9; // a floating-point operation of scores and weighted values
    private static final double LINEAR = 1 / 390e9; // one of a projection
    private static final double MATCHING_FP32 = 1 / 190e9; // one of a matching's products
    private static final double MATCHING_BF16 = 1 / 285e9;
    private static final double MAXIMUM = 0.5e-9; // a matching's score, looked at
    private static final double MOVING = 0.55e-9; // an element merged and unmerged
    private static final double MATCH = 0.6e-3; // what a matching takes besides, however small
    private static final double BLOCK = 0.05e-3; // what merging in a block takes besides

    /** The text's tokens, which cross-attention looks at. */
    private static final double TEXT = 77;

    /**
     * @param grid the block's tokens
     * @param channels the size of a token
     * @param blocks how many blocks share a matching if the options let them
     */
    static MergingCost of(ToMeOptions options, TokenGrid grid, long channels, int blocks) {
        MergeMethod method = options.method().strategy();
        double n = grid.tokens();
        double gone = method.merged(options, grid);
        double left = n - gone;
        double c = channels;
        double saved = 0;
        double around = 0; // parts that tokens are merged for
        if (options.mergeAttn()) {
            double features = options.sizeWeighted() ? 1.2 * c : c;
            double scores = method.scores(n, left) * features;
            saved += 4 * (n * n * c - scores) * ATTENTION + method.projections() * gone * c * c * LINEAR;
            around++;
        }
        if (options.mergeCrossattn()) {
            saved += 4 * gone * c * TEXT * ATTENTION + 4 * gone * c * c * LINEAR;
            around++;
        }
        if (options.mergeMlp()) {
            saved += 24 * gone * c * c * LINEAR;
            around++;
        }
        double moving = BLOCK + around * n * c * MOVING;
        if (!method.matches()) {
            return new MergingCost(saved, moving);
        }
        double destinations = grid.destinations(options.sx(), options.sy());
        double rate = options.matchPrecision() == Precision.BF16 ? MATCHING_BF16 : MATCHING_FP32;
        double match = MATCH + (n - destinations) * destinations * (2 * c * rate + MAXIMUM);
        double uses = options.matchEvery() * (options.matchPer() == MatchPer.BLOCK ? 1 : blocks);
        return new MergingCost(saved, moving + match / uses);
    }

    boolean pays() {
        return saved > cost;
    }

    /** Why it does not pay. */
    String reason() {
        return saved <= 0
                ? "no tokens would be merged"
                : String.format(Locale.ROOT, "merging is predicted to cost %.1f times what it saves", cost / saved);
    }
}
