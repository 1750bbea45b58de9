package io.tome4j.diffusion.prompt;

/** How prompts are read. */
public enum PromptSyntax {
    /** Text as it stands, as diffusers reads it: brackets are text, and what does not fit into one chunk is dropped. */
    PLAIN,

    /**
     * As Automatic1111's web UI reads prompts: weights ({@link WeightedText}), parts ({@link ComposedPrompt}), texts that change
     * with the step ({@link ScheduledText}), any length ({@link PromptChunker}).
     */
    A1111,

    /** As the Python library compel reads prompts ({@link CompelPrompt}): weights, texts one after the other, and mixtures. */
    COMPEL
}
