package io.tome4j.tensor;

/** Where tensors are computed. */
public enum ComputeDevice {
    CPU,
    CUDA
}
