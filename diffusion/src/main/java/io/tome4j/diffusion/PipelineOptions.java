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
 */
public record PipelineOptions(
        DeviceChoice device, DTypeChoice dtype, AttentionKernel attention, String revision, String variant) {
    /** All chosen automatically, memory-efficient attention. */
    public static final PipelineOptions DEFAULT =
            new PipelineOptions(DeviceChoice.AUTO, DTypeChoice.AUTO, AttentionKernel.EFFICIENT, "", "");

    public PipelineOptions device(DeviceChoice value) {
        return new PipelineOptions(value, dtype, attention, revision, variant);
    }

    public PipelineOptions dtype(DTypeChoice value) {
        return new PipelineOptions(device, value, attention, revision, variant);
    }

    public PipelineOptions attention(AttentionKernel value) {
        return new PipelineOptions(device, dtype, value, revision, variant);
    }

    public PipelineOptions revision(String value) {
        return new PipelineOptions(device, dtype, attention, value, variant);
    }

    public PipelineOptions variant(String value) {
        return new PipelineOptions(device, dtype, attention, revision, value);
    }
}
