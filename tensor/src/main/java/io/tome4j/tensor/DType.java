package io.tome4j.tensor;

/** What tensors are computed in. */
public enum DType {
    FP32,
    BF16,
    FP16
}
