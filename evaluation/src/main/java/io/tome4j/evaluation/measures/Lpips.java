package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** Asks a network how far two images are apart. */
final class Lpips implements AutoCloseable {
    private final TorchScript network;

    Lpips(TorchScript network) {
        this.network = network;
    }

    double between(BufferedImage unmerged, BufferedImage merged) {
        try (var scope = TensorScope.open()) {
            Tensor distance = network.forward(PixelTensors.scaled(unmerged, -1, 1), PixelTensors.scaled(merged, -1, 1));
            if (distance.numel() != 1) {
                throw new TomeException("The network in " + network.file() + " gives " + distance.numel()
                        + " numbers (shape " + Arrays.toString(Tensors.shape(distance))
                        + ") for a pair of images where LPIPS is one number.");
            }
            return distance.item_double();
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
