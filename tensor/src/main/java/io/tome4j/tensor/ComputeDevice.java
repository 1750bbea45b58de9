package io.tome4j.tensor;

import org.bytedeco.pytorch.global.torch;

/** Where tensors are computed. */
public enum ComputeDevice {
    CPU(torch.DeviceType.CPU),
    CUDA(torch.DeviceType.CUDA),
    /**
     * libtorch's lazy device, which the CPU computes for. Nobody can choose it: it is a second device for tests, in which a tensor
     * made on the wrong device fails as it does with CUDA.
     */
    LAZY(torch.DeviceType.Lazy);

    private final torch.DeviceType torchType;

    ComputeDevice(torch.DeviceType torchType) {
        this.torchType = torchType;
    }

    torch.DeviceType torchType() {
        return torchType;
    }
}
