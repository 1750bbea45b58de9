package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.ScaledTensors;
import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a safetensors file holds, told by the names and shapes of its tensors, whatever its own name is: most files say
 * nothing else of themselves. Only its header was read.
 */
public final class FileContents {
    /** Where a part of a model lies in a file. */
    record Part(TensorView view, Naming naming) {}

    private final SafetensorsFile file;
    private final StoredTensors tensors;
    private final FileKind kind;
    private final Map<String, Part> parts;

    private FileContents(SafetensorsFile file, StoredTensors tensors, FileKind kind, Map<String, Part> parts) {
        this.file = file;
        this.tensors = tensors;
        this.kind = kind;
        this.parts = parts;
    }

    /**
     * Looks into a file.
     *
     * @throws TomeException if it cannot be read, is no safetensors file, is damaged, quantised, lacks its scales, or holds
     *     two models
     */
    public static FileContents of(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        Recognition.requireReadable(file);
        StoredTensors tensors = ScaledTensors.of(file);
        Map<String, Part> parts = Recognition.parts(tensors, path);
        return new FileContents(file, tensors, Recognition.kind(tensors, parts), parts);
    }

    public Path path() {
        return file.path();
    }

    /** What it is. */
    public FileKind kind() {
        return kind;
    }

    /** Strings that whoever wrote it put beside the tensors; often none. */
    public Map<String, String> metadata() {
        return file.metadata();
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return file.dataBytes();
    }

    /** How many tensors it has. */
    public int count() {
        return file.names().size();
    }

    /** In what the tensors are stored, by the part of the bytes, the largest first: {@code [F16, F32]}. */
    public List<String> dtypes() {
        Map<String, Long> values = new TreeMap<>();
        for (String name : file.names()) {
            long count = 1;
            for (long size : file.shape(name)) {
                count *= size;
            }
            values.merge(file.dtype(name), count, Long::sum);
        }
        List<String> dtypes = new ArrayList<>(values.keySet());
        dtypes.sort((a, b) -> Long.compare(values.getOrDefault(b, 0L), values.getOrDefault(a, 0L)));
        return List.copyOf(dtypes);
    }

    /** The parts of a model that it has: {@code unet}, {@code vae}, {@code text_encoder}, {@code text_encoder_2}. */
    public List<String> components() {
        return List.copyOf(parts.keySet());
    }

    /** The model's family, as far as it can be told; empty for what fits no family that is known, and for other files. */
    public Optional<BaseModel> base() {
        return unet().flatMap(unet -> {
            Optional<Kind> found = Recognition.kindOf(unet);
            return found.map(known -> switch (known) {
                case SD1 -> BaseModel.SD15;
                case SD2 -> Prediction.isVelocityOfSd2(file, tensors, unet) ? BaseModel.SD21 : BaseModel.SD21_BASE;
                case SDXL -> BaseModel.SDXL;
                case REFINER -> BaseModel.SDXL_REFINER;
            });
        });
    }

    /** What the UNet predicts: {@code epsilon} or {@code v_prediction}; empty for files without one. */
    public Optional<String> predictionType() {
        return base().map(base -> markedPrediction().orElse(base.predictionType()));
    }

    /** What the file says of it by a mark or in its metadata; most say nothing. */
    Optional<String> markedPrediction() {
        return Prediction.marked(file, tensors);
    }

    /** Channels that go into the UNet: 4, or 9 for inpainting; 0 without one. */
    public int inChannels() {
        return unet().map(UNetStructure::inChannels).orElse(0);
    }

    /** Whether the UNet has the guidance scale as an input, as latent consistency models have. */
    public boolean isConsistencyModel() {
        return unet().filter(unet -> unet.guidanceSize() > 0).isPresent();
    }

    /** Where this fits: the end of a sentence, such as {@code models of Stable Diffusion XL}; empty where it is not known. */
    public String fits() {
        return Recognition.fits(kind, tensors, parts);
    }

    Optional<UNetStructure> unet() {
        return Optional.ofNullable(parts.get("unet")).map(part -> new UNetStructure(part.view(), part.naming()));
    }

    Map<String, Part> parts() {
        return new LinkedHashMap<>(parts);
    }

    StoredTensors tensors() {
        return tensors;
    }

    SafetensorsFile file() {
        return file;
    }
}
