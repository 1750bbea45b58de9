package io.tome4j.merging;

import org.bytedeco.pytorch.Tensor;

/** A way to make a token sequence shorter and back to its length. */
public interface TokenMerge extends TokenReduction {
    /** Merges nothing: both ways give back the tensor itself. */
    TokenMerge NONE = new TokenMerge() {
        @Override
        public Tensor merge(Tensor x) {
            return x;
        }

        @Override
        public Tensor unmerge(Tensor x) {
            return x;
        }
    };

    /**
     * @param x {@code [B, N', C]}
     * @return {@code [B, N, C]}
     */
    Tensor unmerge(Tensor x);
}
