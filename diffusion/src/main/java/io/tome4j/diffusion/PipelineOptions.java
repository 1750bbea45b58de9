package io.tome4j.diffusion;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;

/**
 * How to load a pipeline.
 *
 * @param device where to compute
 * @param dtype what to compute in
 * @param attention how to compute attention
 * @param revision branch, tag or commit of a model on the hub; empty for the main one
 * @param variant which set of weight files, such as {@code fp16}; empty for the plain one
 * @param memoryCheck whether to refuse what is estimated not to fit into memory
 */
public record PipelineOptions(
        DeviceChoice device,
        DTypeChoice dtype,
        AttentionKernel attention,
        String revision,
        String variant,
        boolean memoryCheck) {
    /** All chosen automatically, memory-efficient attention. */
    public static final PipelineOptions DEFAULT =
            new PipelineOptions(DeviceChoice.AUTO, DTypeChoice.AUTO, AttentionKernel.EFFICIENT, "", "");

    /** With the check of memory. */
    public PipelineOptions(
            DeviceChoice device, DTypeChoice dtype, AttentionKernel attention, String revision, String variant) {
        this(device, dtype, attention, revision, variant, true);
    }

    public PipelineOptions device(DeviceChoice value) {
        return new PipelineOptions(value, dtype, attention, revision, variant, memoryCheck);
    }

    public PipelineOptions dtype(DTypeChoice value) {
        return new PipelineOptions(device, value, attention, revision, variant, memoryCheck);
    }

    public PipelineOptions attention(AttentionKernel value) {
        return new PipelineOptions(device, dtype, value, revision, variant, memoryCheck);
    }

    public PipelineOptions revision(String value) {
        return new PipelineOptions(device, dtype, attention, value, variant, memoryCheck);
    }

    public PipelineOptions variant(String value) {
        return new PipelineOptions(device, dtype, attention, revision, value, memoryCheck);
    }

    public PipelineOptions memoryCheck(boolean value) {
        return new PipelineOptions(device, dtype, attention, revision, variant, value);
    }
}
