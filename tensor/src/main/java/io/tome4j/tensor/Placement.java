package io.tome4j.tensor;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Where tensors live and what their elements are.
 *
 * @param device {@link DeviceChoice#CPU} or {@link DeviceChoice#CUDA}, never {@code AUTO}
 * @param dtype {@link DTypeChoice#FP32}, {@link DTypeChoice#BF16} or {@link DTypeChoice#FP16}, never {@code AUTO}
 */
public record Placement(DeviceChoice device, DTypeChoice dtype) {
    /** fp32 on the CPU: what the reference computes by default. */
    public static final Placement CPU_FP32 = new Placement(DeviceChoice.CPU, DTypeChoice.FP32);

    public Placement {
        if (device == DeviceChoice.AUTO || dtype == DTypeChoice.AUTO) {
            throw new IllegalArgumentException("A placement is decided: use Placement.choose to resolve AUTO");
        }
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
                            : "tome4j was built with the CPU natives; build it with 'mvn -Pgpu package'")
                    + ", or choose the device cpu.");
        }
        DeviceChoice chosen = device == DeviceChoice.CPU || !cuda ? DeviceChoice.CPU : DeviceChoice.CUDA;
        if (dtype != DTypeChoice.AUTO) {
            return new Placement(chosen, dtype);
        }
        if (chosen == DeviceChoice.CUDA) {
            return new Placement(chosen, DTypeChoice.FP16);
        }
        return new Placement(chosen, engine.cpuHasBf16() ? DTypeChoice.BF16 : DTypeChoice.FP32);
    }

    /** The same device with another dtype. */
    public Placement dtype(DTypeChoice other) {
        return new Placement(device, other);
    }

    public ScalarType scalarType() {
        return switch (dtype) {
            case BF16 -> ScalarType.BFloat16;
            case FP16 -> ScalarType.Half;
            case FP32, AUTO -> ScalarType.Float;
        };
    }

    /** Bytes of an element. */
    public int elementSize() {
        return dtype == DTypeChoice.FP32 ? 4 : 2;
    }

    /** A new native device object: it belongs to the scope that is open. */
    public Device torchDevice() {
        return new Device(device == DeviceChoice.CUDA ? torch.DeviceType.CUDA : torch.DeviceType.CPU);
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
