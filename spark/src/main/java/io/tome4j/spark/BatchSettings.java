package io.tome4j.spark;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Option;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What all images of a batch have in common: the model and how it is loaded, options of requests, merging. Immutable: each
 * method that takes a value gives new settings. This is all that travels to the executors.
 */
public final class BatchSettings implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String model;
    private String revision = "";
    private String variant = "";
    private DeviceChoice device = DeviceChoice.CPU;
    private DTypeChoice dtype = DTypeChoice.FP32;
    private AttentionKernel attention = AttentionKernel.EFFICIENT;
    private Map<String, String> request = Map.of(); // by Option.name, as Option.format writes it
    private Map<String, String> merging = Map.of();

    private BatchSettings(String model) {
        this.model = model;
    }

    /**
     * Settings of a model: on the CPU in fp32, diffusers' defaults, no merging.
     *
     * @param model a folder in the layout of diffusers that every node has, or an id on the Hugging Face hub
     */
    public static BatchSettings of(String model) {
        return new BatchSettings(model);
    }

    private BatchSettings copy() {
        BatchSettings copy = new BatchSettings(model);
        copy.revision = revision;
        copy.variant = variant;
        copy.device = device;
        copy.dtype = dtype;
        copy.attention = attention;
        copy.request = request;
        copy.merging = merging;
        return copy;
    }

    public String model() {
        return model;
    }

    /** Branch, tag or commit of a model on the hub. */
    public BatchSettings revision(String value) {
        BatchSettings copy = copy();
        copy.revision = value;
        return copy;
    }

    /** Which set of weight files, such as {@code fp16}. */
    public BatchSettings variant(String value) {
        BatchSettings copy = copy();
        copy.variant = value;
        return copy;
    }

    /** Where to compute; CUDA takes the device that Spark gave the task. */
    public BatchSettings device(DeviceChoice value) {
        BatchSettings copy = copy();
        copy.device = value;
        return copy;
    }

    /**
     * What to compute in.
     *
     * @throws IllegalArgumentException if it is {@code AUTO}: nodes of a cluster would choose differently, and so make
     *     different images
     */
    public BatchSettings dtype(DTypeChoice value) {
        if (value == DTypeChoice.AUTO) {
            throw new IllegalArgumentException(
                    "The dtype must be fp32, bf16 or fp16: with auto, nodes of a cluster could choose differently");
        }
        BatchSettings copy = copy();
        copy.dtype = value;
        return copy;
    }

    /** How to compute attention; {@code PORTABLE} gives the same images on CPUs that differ. */
    public BatchSettings attention(AttentionKernel value) {
        BatchSettings copy = copy();
        copy.attention = value;
        return copy;
    }

    /** An option of every request whose row does not say otherwise. */
    public <T> BatchSettings option(Option<T> option, T value) {
        return option(option.name(), option.format(value));
    }

    /**
     * As {@link #option(Option, Object)}, by its name among {@link Request#OPTIONS}.
     *
     * @throws IllegalArgumentException if there is none of this name, the batch has it from elsewhere, or the value is out of
     *     its range
     */
    public BatchSettings option(String name, String value) {
        Option<?> option = Columns.option(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "There is no option '" + name + "'. There are: " + String.join(", ", Columns.optionNames())));
        Request unused = Request.of("").withText(option, value);
        BatchSettings copy = copy();
        copy.request = with(request, name, value);
        return copy;
    }

    /** How to merge tokens; no merging without it. */
    public BatchSettings merging(ToMeOptions options) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put(ToMeOptions.RATIO.name(), options.text(ToMeOptions.RATIO));
        // these two first: the mode takes back what was chosen of matching, and the method has a say in what goes with
        // it
        for (Option<?> option : List.of(ToMeOptions.MODE, ToMeOptions.METHOD)) {
            if (!options.isUsual(option)) {
                values.put(option.name(), options.text(option));
            }
        }
        ToMeOptions.OPTIONS.stream()
                .filter(option -> !options.isUsual(option))
                .forEach(option -> values.put(option.name(), options.text(option)));
        BatchSettings copy = copy();
        copy.merging = values;
        return copy;
    }

    private static Map<String, String> with(Map<String, String> map, String name, String value) {
        Map<String, String> changed = new LinkedHashMap<>(map);
        changed.put(name, value);
        return changed;
    }

    /** How tokens are merged. */
    ToMeOptions merging() {
        ToMeOptions options = ToMeOptions.NONE;
        for (var entry : merging.entrySet()) {
            for (Option<?> option : ToMeOptions.OPTIONS) {
                if (option.name().equals(entry.getKey())) {
                    options = options.withText(option, entry.getValue());
                }
            }
        }
        return options;
    }

    /** The request that a row's own values are set on. */
    Request request(String prompt) {
        Request result = Request.of(prompt);
        for (var entry : request.entrySet()) {
            result = result.withText(Columns.option(entry.getKey()).orElseThrow(), entry.getValue());
        }
        return result.merging(merging());
    }

    PipelineOptions pipelineOptions() {
        return PipelineOptions.DEFAULT
                .revision(revision)
                .variant(variant)
                .device(device)
                .dtype(dtype)
                .attention(attention);
    }

    /** All of it, a line each: what a folder of images is known by. */
    String describe() {
        StringBuilder text = new StringBuilder();
        text.append("model ").append(model).append('\n');
        text.append("revision ").append(revision).append('\n');
        text.append("variant ").append(variant).append('\n');
        text.append("device ").append(device).append('\n');
        text.append("dtype ").append(dtype).append('\n');
        text.append("attention ").append(attention).append('\n');
        new TreeMap<>(request)
                .forEach((name, value) ->
                        text.append(name).append(' ').append(value).append('\n'));
        return text.append("merging ").append(merging().identity()).append('\n').toString();
    }

    boolean onCuda() {
        return device == DeviceChoice.CUDA;
    }

    /** Whether the same pipeline serves both: the model and how it is loaded, not what is asked of it. */
    boolean loadsAs(BatchSettings other) {
        return other.model.equals(model)
                && other.revision.equals(revision)
                && other.variant.equals(variant)
                && other.device == device
                && other.dtype == dtype
                && other.attention == attention;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BatchSettings settings
                && loadsAs(settings)
                && settings.request.equals(request)
                && settings.merging.equals(merging);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, revision, variant, device, dtype, attention, request, merging);
    }
}
