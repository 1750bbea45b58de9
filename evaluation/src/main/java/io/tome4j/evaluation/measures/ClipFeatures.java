package io.tome4j.evaluation.measures;

import io.tome4j.models.clip.ClipModel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;

/** Features of CLIP's encoder of images. */
record ClipFeatures(String name, ClipModel model) implements ImageFeatures {
    @Override
    public float[] of(BufferedImage image) {
        try (var scope = TensorScope.open()) {
            return Tensors.floats(model.imageFeatures(image));
        }
    }

    /** Nothing: the model is the caller's. */
    @Override
    public void close() {}
}
