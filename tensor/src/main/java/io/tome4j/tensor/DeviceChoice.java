package io.tome4j.tensor;

/** Where to compute, as a user says it. */
public enum DeviceChoice {
    /** CUDA where the natives and a device are there, else the CPU. */
    AUTO,
    CPU,
    CUDA
}
