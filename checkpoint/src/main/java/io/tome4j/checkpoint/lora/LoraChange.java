package io.tome4j.checkpoint.lora;

import org.bytedeco.pytorch.Tensor;

/** What a LoRA adds to one tensor of a model, and how strongly. Equal where it is the same part of the same open file. */
public final class LoraChange {
    private final LoraModule module;
    private final boolean ofBias;
    private final double strength;

    LoraChange(LoraModule module, boolean ofBias, double strength) {
        this.module = module;
        this.ofBias = ofBias;
        this.strength = strength;
    }

    /**
     * Adds it.
     *
     * @param tensor fp32 on the CPU
     * @return fp32, of the same shape, in the open scope
     */
    Tensor addedTo(Tensor tensor) {
        return ofBias ? module.addedToBias(tensor, strength) : module.addedTo(tensor, strength);
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof LoraChange change
                && change.module == module
                && change.ofBias == ofBias
                && change.strength == strength;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(module) + Boolean.hashCode(ofBias) + Double.hashCode(strength);
    }
}
