package io.tome4j.models.singlefile;

/** By whose names a part of a file calls its tensors. */
enum Naming {
    /** Those of the programs before diffusers. */
    LDM,
    /** Diffusers', or for text encoders transformers'. */
    DIFFUSERS,
    /** Those of OpenCLIP, for text encoders. */
    OPEN_CLIP
}
