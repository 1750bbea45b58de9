package io.tome4j.diffusion;

import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ConvolutionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** How to load a pipeline. Immutable: each method that takes a value gives new options. */
public final class PipelineOptions {
    /** All chosen automatically, memory-efficient attention. */
    public static final PipelineOptions DEFAULT = new PipelineOptions();

    private static final List<String> PREDICTION_TYPES = List.of("epsilon", "v_prediction", "sample");

    private DeviceChoice device = DeviceChoice.AUTO;
    private DTypeChoice dtype = DTypeChoice.AUTO;
    private AttentionKernel attention = AttentionKernel.EFFICIENT;
    private String revision = "";
    private String variant = "";
    private VaeTiling vaeTiling = VaeTiling.AUTO;
    private boolean memoryCheck = true;
    private String refiner = "";
    private String config = "";
    private Optional<BaseModel> base = Optional.empty();
    private String predictionType = "";
    private boolean ema;
    private Optional<Path> vae = Optional.empty();
    private Optional<Path> previewVae = Optional.empty();
    private List<Lora> loras = List.of();

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
        copy.config = config;
        copy.base = base;
        copy.predictionType = predictionType;
        copy.ema = ema;
        copy.vae = vae;
        copy.previewVae = previewVae;
        copy.loras = loras;
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

    /**
     * Resolves where to compute and in what against what this machine has.
     *
     * @throws io.tome4j.tensor.TomeException if CUDA is asked for and not available
     */
    public Placement placement() {
        return Placement.choose(device, dtype).convolution(ConvolutionKernel.beside(attention));
    }

    /**
     * How to compute attention. All but {@link AttentionKernel#EFFICIENT} do without tome4j's own kernels, those for
     * convolutions included.
     */
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

    /** What of them is meant for the refiner, too. */
    PipelineOptions ofRefiner() {
        PipelineOptions copy = new PipelineOptions();
        copy.device = device;
        copy.dtype = dtype;
        copy.attention = attention;
        copy.variant = refiner.endsWith(".safetensors") ? "" : variant; // one file has no variants
        copy.vaeTiling = vaeTiling;
        copy.memoryCheck = memoryCheck;
        copy.vae = vae; // a refiner decodes with its own, unless another is named
        return copy;
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

    /**
     * Whose configs, tokenizers and scheduler a model in a single file has, and where the parts come from that the file lacks:
     * a folder, or a model's id on the hub; empty to tell them by the file.
     */
    public String config() {
        return config;
    }

    public PipelineOptions config(String value) {
        PipelineOptions copy = copy();
        copy.config = value;
        return copy;
    }

    /** What a model in a single file was trained from; empty to tell it by the file. */
    public Optional<BaseModel> base() {
        return base;
    }

    public PipelineOptions base(BaseModel value) {
        PipelineOptions copy = copy();
        copy.base = Optional.of(value);
        return copy;
    }

    /** What the UNet predicts, whatever the checkpoint says: {@code epsilon}, {@code v_prediction}; empty to go by it. */
    public String predictionType() {
        return predictionType;
    }

    /** @throws OptionException if it is none that schedulers know */
    public PipelineOptions predictionType(String value) {
        if (!value.isEmpty() && !PREDICTION_TYPES.contains(value)) {
            throw new OptionException("{prediction_type} is '" + OptionException.literal(value) + "'; there are: "
                    + String.join(", ", PREDICTION_TYPES));
        }
        PipelineOptions copy = copy();
        copy.predictionType = value;
        return copy;
    }

    /** Whether to take moving averages of the UNet's weights, where a single file has them beside the weights. */
    public boolean ema() {
        return ema;
    }

    public PipelineOptions ema(boolean value) {
        PipelineOptions copy = copy();
        copy.ema = value;
        return copy;
    }

    /** The file or folder of a VAE to take in place of the model's own; empty for its own. */
    public Optional<Path> vae() {
        return vae;
    }

    public PipelineOptions vae(Path value) {
        PipelineOptions copy = copy();
        copy.vae = Optional.of(value);
        return copy;
    }

    /** The file or folder of a VAE that decodes previews; empty for small ones without one. */
    public Optional<Path> previewVae() {
        return previewVae;
    }

    /** Has {@link LatentPreview} decode with it, such as TAESD; images are not changed by this. */
    public PipelineOptions previewVae(Path value) {
        PipelineOptions copy = copy();
        copy.previewVae = Optional.of(value);
        return copy;
    }

    /** The LoRAs that are added while the model loads; none by default. */
    public List<Lora> loras() {
        return loras;
    }

    /**
     * Has these added while the model loads, each tensor as it is read, so that a first request that wants the same finds them
     * there. What a request is drawn with is what the request says, with or without this. Those for the refiner are passed over.
     */
    public PipelineOptions loras(List<Lora> value) {
        PipelineOptions copy = copy();
        copy.loras = List.copyOf(value);
        return copy;
    }
}
