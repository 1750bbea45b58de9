package io.tome4j.diffusion;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;

/** How to load a pipeline. Immutable: each method that takes a value gives new options. */
public final class PipelineOptions {
    /** All chosen automatically, memory-efficient attention. */
    public static final PipelineOptions DEFAULT = new PipelineOptions();

    private DeviceChoice device = DeviceChoice.AUTO;
    private DTypeChoice dtype = DTypeChoice.AUTO;
    private AttentionKernel attention = AttentionKernel.EFFICIENT;
    private String revision = "";
    private String variant = "";
    private VaeTiling vaeTiling = VaeTiling.AUTO;
    private boolean memoryCheck = true;
    private String refiner = "";

    private PipelineOptions() {}

    private PipelineOptions copy() {
        PipelineOptions copy = new PipelineOptions();
        copy.device = device;
        copy.dtype = dtype;
        copy.attention = attention;
        copy.revision = revision;
        copy.variant = variant;
        copy.vaeTiling = vaeTiling;
        copy.memoryCheck = memoryCheck;
        copy.refiner = refiner;
        return copy;
    }

    /** Where to compute. */
    public DeviceChoice device() {
        return device;
    }

    public PipelineOptions device(DeviceChoice value) {
        PipelineOptions copy = copy();
        copy.device = value;
        return copy;
    }

    /** What to compute in. */
    public DTypeChoice dtype() {
        return dtype;
    }

    public PipelineOptions dtype(DTypeChoice value) {
        PipelineOptions copy = copy();
        copy.dtype = value;
        return copy;
    }

    /** How to compute attention. */
    public AttentionKernel attention() {
        return attention;
    }

    public PipelineOptions attention(AttentionKernel value) {
        PipelineOptions copy = copy();
        copy.attention = value;
        return copy;
    }

    /** Branch, tag or commit of a model on the hub; empty for the main one. */
    public String revision() {
        return revision;
    }

    public PipelineOptions revision(String value) {
        PipelineOptions copy = copy();
        copy.revision = value;
        return copy;
    }

    /** Which set of weight files, such as {@code fp16}; empty for the plain one. */
    public String variant() {
        return variant;
    }

    public PipelineOptions variant(String value) {
        PipelineOptions copy = copy();
        copy.variant = value;
        return copy;
    }

    /** Whether images are decoded in tiles. */
    public VaeTiling vaeTiling() {
        return vaeTiling;
    }

    public PipelineOptions vaeTiling(VaeTiling value) {
        PipelineOptions copy = copy();
        copy.vaeTiling = value;
        return copy;
    }

    /** The model that goes on where the first one stops, a folder or an id of the hub; empty for none. */
    public String refiner() {
        return refiner;
    }

    /** Has it go on from {@link Request#refinerStart}, and decode the images with its own VAE. */
    public PipelineOptions refiner(String model) {
        PipelineOptions copy = copy();
        copy.refiner = model;
        return copy;
    }

    /** Whether to refuse what is estimated not to fit into memory. */
    public boolean memoryCheck() {
        return memoryCheck;
    }

    public PipelineOptions memoryCheck(boolean value) {
        PipelineOptions copy = copy();
        copy.memoryCheck = value;
        return copy;
    }
}
