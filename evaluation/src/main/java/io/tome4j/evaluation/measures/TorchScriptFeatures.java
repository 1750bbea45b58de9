package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** Features of a TorchScript network. */
record TorchScriptFeatures(TorchScript network) implements ImageFeatures {
    @Override
    public String name() {
        return String.valueOf(network.file().getFileName());
    }

    @Override
    public float[] of(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            Tensor features = network.forward(PixelTensors.scaled(image, 0, 1));
            if (features.dim() != 2 || features.size(0) != 1 || features.size(1) == 0) {
                throw new TomeException("The network in " + network.file() + " gives the shape "
                        + Arrays.toString(Tensors.shape(features))
                        + " for one image where features have the shape [1, D]"
                        + (features.dim() == 4 ? ": let it take the mean over the last two dimensions." : "."));
            }
            return Tensors.floats(features);
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
