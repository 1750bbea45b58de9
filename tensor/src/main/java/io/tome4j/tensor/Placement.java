package io.tome4j.tensor;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Where tensors live, what their elements are, and how layers made of them compute.
 *
 * @param device where
 * @param dtype what
 * @param convolution how convolutions are computed
 */
public record Placement(ComputeDevice device, DType dtype, ConvolutionKernel convolution) {
    /** fp32 on the CPU: what the reference computes by default. */
    public static final Placement CPU_FP32 = new Placement(ComputeDevice.CPU, DType.FP32);

    public Placement(ComputeDevice device, DType dtype) {
        this(device, dtype, ConvolutionKernel.EFFICIENT);
    }

    /**
     * Resolves what the user said against what this machine has.
     *
     * @throws TomeException if CUDA is asked for and not available
     */
    public static Placement choose(DeviceChoice device, DTypeChoice dtype) {
        Engine engine = Engine.start();
        boolean cuda = engine.cudaAvailable();
        if (device == DeviceChoice.CUDA && !cuda) {
            throw new TomeException("No CUDA device can be used: "
                    + (engine.cudaNatives()
                            ? "the CUDA natives are there, but no device answers; check the driver with nvidia-smi"
                            : "the natives on the class path are those for CPUs alone; " + Natives.forCuda())
                    + ", or choose the device cpu.");
        }
        ComputeDevice chosen = device == DeviceChoice.CPU || !cuda ? ComputeDevice.CPU : ComputeDevice.CUDA;
        return new Placement(chosen, dtypeFor(chosen, dtype, engine.cpuHasBf16()));
    }

    private static DType dtypeFor(ComputeDevice device, DTypeChoice choice, boolean cpuHasBf16) {
        return switch (choice) {
            case FP32 -> DType.FP32;
            case BF16 -> DType.BF16;
            case FP16 -> DType.FP16;
            case AUTO -> device == ComputeDevice.CUDA ? DType.FP16 : cpuHasBf16 ? DType.BF16 : DType.FP32;
        };
    }

    /** The same device with another dtype. */
    public Placement dtype(DType other) {
        return new Placement(device, other, convolution);
    }

    /** The same with another way to compute convolutions. */
    public Placement convolution(ConvolutionKernel other) {
        return new Placement(device, dtype, other);
    }

    public ScalarType scalarType() {
        return switch (dtype) {
            case BF16 -> ScalarType.BFloat16;
            case FP16 -> ScalarType.Half;
            case FP32 -> ScalarType.Float;
        };
    }

    /** Bytes of an element. */
    public int elementSize() {
        return dtype == DType.FP32 ? 4 : 2;
    }

    /** A new native device object: it belongs to the scope that is open. */
    public Device torchDevice() {
        return new Device(device.torchType());
    }

    /** Options to make a tensor of this placement; they belong to the scope that is open. */
    public TensorOptions options() {
        return options(scalarType());
    }

    /** Options to make a tensor on this device with another element type. */
    public TensorOptions options(ScalarType type) {
        return new TensorOptions().dtype(new ScalarTypeOptional(type)).device(new DeviceOptional(torchDevice()));
    }

    /** The tensor on this device in this dtype: itself, if it is there already. */
    public Tensor place(Tensor tensor) {
        return tensor.to(torchDevice(), scalarType());
    }
}
