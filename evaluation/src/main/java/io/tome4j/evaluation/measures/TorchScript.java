package io.tome4j.evaluation.measures;

import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A network from a TorchScript file, on the CPU. */
final class TorchScript implements AutoCloseable {
    private final Path file;
    private final JitModule module;

    private TorchScript(Path file, JitModule module) {
        this.file = file;
        this.module = module;
    }

    /**
     * Reads a network that {@code torch.jit.save} or {@code ScriptModule.save} wrote.
     *
     * @throws TomeException if there is no such file, or it holds no network
     */
    static TorchScript open(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new TomeException("There is no file " + file + ".");
        }
        Engine.start();
        try (var scope = TensorScope.open()) {
            DeviceOptional cpu = new DeviceOptional(Placement.CPU_FP32.torchDevice());
            JitModule module = torch.load(file.toString(), cpu, false);
            module.eval();
            module.retainReference(); // it outlives the scope, until close()
            return new TorchScript(file, module);
        } catch (RuntimeException e) {
            throw new TomeException(
                    "The file " + file + " holds no TorchScript network (as torch.jit.save writes it): " + reason(e)
                            + ".",
                    e);
        }
    }

    Path file() {
        return file;
    }

    /**
     * One forward pass.
     *
     * @throws TomeException if the network refuses the input, or gives anything but one tensor
     */
    Tensor forward(Tensor... inputs) {
        try (var scope = TensorScope.open()) {
            IValue result;
            try {
                IValue[] arguments = Arrays.stream(inputs).map(IValue::new).toArray(IValue[]::new);
                result = module.forward(new IValueVector(arguments));
            } catch (RuntimeException e) {
                throw new TomeException(
                        "The network in " + file + " failed on " + inputs.length
                                + (inputs.length == 1 ? " batch" : " batches") + " of images: " + reason(e) + ".",
                        e);
            }
            if (!result.isTensor()) {
                throw new TomeException("The network in " + file + " gives a "
                        + result.tagKind().getString() + " where a single tensor is expected.");
            }
            return scope.release(result.toTensor());
        }
    }

    private static String reason(RuntimeException e) {
        return Engine.firstLine(String.valueOf(e.getMessage())).replaceFirst("\\.$", "");
    }

    @Override
    public void close() {
        module.close();
    }
}
