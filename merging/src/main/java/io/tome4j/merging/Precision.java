package io.tome4j.merging;

/** In what precision a matching computes and compares similarities. */
public enum Precision {
    /** fp32 whatever the tokens are in: near-identical tokens tie in half precision. */
    FP32,
    /**
     * Products of bf16 tokens, summed in fp32. What is rounded to bf16 is the distance {@code 1 - cos} rather than the
     * similarity, so that near-identical tokens stay apart. Faster than {@link #FP32} where the processor has bf16.
     */
    BF16,
    /** The tokens' own dtype, as tomesd does. */
    INPUT
}
