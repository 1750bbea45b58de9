package io.tome4j.diffusion.prompt;

import java.util.List;

/** What a weight does to a token's embedding, as Automatic1111's web UI names it. */
public enum Emphasis {
    /** It is multiplied by the weight, and all embeddings of a chunk by what brings their mean back. */
    ORIGINAL,

    /** It is multiplied by the weight. */
    NO_NORM,

    /** Weights are read and have no effect. */
    IGNORE,

    /** Brackets and BREAK are text. */
    NONE;

    /** The pieces of a text, as this reads it. */
    public List<WeightedText> pieces(String text) {
        return this == NONE ? List.of(new WeightedText(text, 1)) : WeightedText.parse(text);
    }

    /** Whether weights have an effect. */
    public boolean weighs() {
        return this == ORIGINAL || this == NO_NORM;
    }
}
