package io.tome4j.checkpoint.lora;

/** What a tensor of a LoRA file is to its module, whatever the file calls it. */
enum LoraPart {
    /** {@code [out, r]}, or {@code [out, r, 1, 1]} of a convolution. */
    UP,
    /** {@code [r, in]}, or {@code [r, in, k, k]}. */
    DOWN,
    /** {@code [r, r, k, k]}: the middle of a convolution that was factorised three times. */
    MID,
    /** {@code [out]}: what the factor towards the output adds besides. */
    UP_BIAS,
    /** A number: the delta is multiplied by alpha / r. */
    ALPHA,
    /** A number in the place of alpha / r. */
    SCALE,
    /** DoRA's lengths of rows or of columns, told by their shape (arXiv 2402.09353). */
    DORA,
    /** DoRA's lengths of rows, whatever their shape: PEFT's. */
    DORA_OF_ROWS,
    HADA_W1_A,
    HADA_W1_B,
    HADA_W2_A,
    HADA_W2_B,
    HADA_T1,
    HADA_T2,
    KRON_W1,
    KRON_W1_A,
    KRON_W1_B,
    KRON_W2,
    KRON_W2_A,
    KRON_W2_B,
    KRON_T2,
    /** The whole delta of a weight. */
    DIFF,
    /** The whole delta of a bias. */
    DIFF_BIAS,
    /** IA3's scales of rows or columns, less one (arXiv 2205.05638). */
    IA3,
    /** Whether IA3 scales columns. */
    IA3_ON_INPUT
}
