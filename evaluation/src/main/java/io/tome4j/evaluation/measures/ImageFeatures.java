package io.tome4j.evaluation.measures;

import io.tome4j.models.clip.ClipModel;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.nio.file.Path;

/** A network that says in numbers what is in an image; sets of images are compared by them. */
public interface ImageFeatures extends AutoCloseable {
    /** What to call it in a report: a file's or a model's name. */
    String name();

    /**
     * The features of an image, the same number for each.
     *
     * @throws TomeException if the network does not give them
     */
    float[] of(BufferedImage image);

    /** Frees the network. */
    @Override
    void close();

    /**
     * A network from a TorchScript file: it takes images {@code [N, 3, H, W]} in [0, 1] of any size and gives
     * {@code [N, D]}. For the usual Fréchet Inception distance that is pytorch-fid's {@code InceptionV3}, traced with
     * {@code torch.jit.trace} in a module that drops the list and the two last dimensions.
     *
     * @throws TomeException if it cannot be read
     */
    static ImageFeatures torchScript(Path file) {
        return new TorchScriptFeatures(TorchScript.open(file));
    }

    /**
     * CLIP's encoder of images, after its projection.
     *
     * @param name what to call it in a report
     * @param model stays with the caller, and so does closing it
     */
    static ImageFeatures clip(String name, ClipModel model) {
        return new ClipFeatures(name, model);
    }
}
