package io.tome4j.models.vae;

import org.bytedeco.pytorch.Tensor;

/** A full-size image's activations are hundreds of megabytes each: none is kept until its scope closes. */
final class Freeing {
    private Freeing() {}

    /** Frees a tensor that is not needed any more, now that what replaces it is there. */
    static Tensor replace(Tensor old, Tensor replacement) {
        old.close();
        return replacement;
    }
}
