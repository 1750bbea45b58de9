package io.tome4j.tensor;

/** What to compute in, as a user says it. */
public enum DTypeChoice {
    /** fp16 on CUDA; on a CPU bf16 if it has instructions for it ({@code avx512_bf16}, {@code amx_bf16}), else fp32. */
    AUTO,
    FP32,
    BF16,
    FP16
}
