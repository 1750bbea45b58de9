package io.tome4j.springboot;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** Which model is loaded, and how. */
@ConfigurationProperties("tome4j")
public class Tome4jProperties {
    /** A folder in the layout of diffusers, or an id on the Hugging Face hub; empty for the embedded model. */
    private String model = "";

    /** Branch, tag or commit of a model on the hub; empty for the main one. */
    private String revision = "";

    /** Which set of weight files, such as fp16; empty for the plain one. */
    private String variant = "";

    /** Where to compute. */
    private DeviceChoice device = DeviceChoice.AUTO;

    /** What to compute in. */
    private DTypeChoice dtype = DTypeChoice.AUTO;

    /** How to compute attention. */
    private AttentionKernel attention = AttentionKernel.EFFICIENT;

    /** Whether to refuse what is estimated not to fit into memory. */
    private boolean memoryCheck = true;

    /** Whether the model is loaded by the first call; otherwise when the application starts. */
    private boolean lazy = true;

    /** How tokens are merged where a request does not say: tomesd's options by name, such as ratio. */
    private Map<String, String> merging = new LinkedHashMap<>();

    PipelineOptions pipelineOptions() {
        return PipelineOptions.DEFAULT
                .revision(revision)
                .variant(variant)
                .device(device)
                .dtype(dtype)
                .attention(attention)
                .memoryCheck(memoryCheck);
    }

    public String getModel() {
        return model;
    }

    public void setModel(String value) {
        model = value;
    }

    public String getRevision() {
        return revision;
    }

    public void setRevision(String value) {
        revision = value;
    }

    public String getVariant() {
        return variant;
    }

    public void setVariant(String value) {
        variant = value;
    }

    public DeviceChoice getDevice() {
        return device;
    }

    public void setDevice(DeviceChoice value) {
        device = value;
    }

    public DTypeChoice getDtype() {
        return dtype;
    }

    public void setDtype(DTypeChoice value) {
        dtype = value;
    }

    public AttentionKernel getAttention() {
        return attention;
    }

    public void setAttention(AttentionKernel value) {
        attention = value;
    }

    public boolean isMemoryCheck() {
        return memoryCheck;
    }

    public void setMemoryCheck(boolean value) {
        memoryCheck = value;
    }

    public boolean isLazy() {
        return lazy;
    }

    public void setLazy(boolean value) {
        lazy = value;
    }

    public Map<String, String> getMerging() {
        return merging;
    }

    public void setMerging(Map<String, String> value) {
        merging = value;
    }
}
