package io.tome4j.merging;

import org.bytedeco.pytorch.Tensor;

/** A way to make a token sequence shorter. */
@FunctionalInterface
public interface TokenReduction {
    /**
     * @param x {@code [B, N, C]}
     * @return {@code [B, N', C]} with {@code N' <= N}
     */
    Tensor merge(Tensor x);
}
