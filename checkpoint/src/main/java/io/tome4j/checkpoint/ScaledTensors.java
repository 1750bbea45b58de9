package io.tome4j.checkpoint;

import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The tensors of a file in eight bits (fp8): values beside which there is a scale, {@code X.scale_weight} or
 * {@code X.weight_scale} of {@code X.weight}, are multiplied by it, one tensor at a time and in fp32, when they are
 * loaded. A file without scales holds the values themselves.
 */
public final class ScaledTensors implements StoredTensors {
    /** Is there, whatever it holds, where all values in eight bits have scales. */
    private static final String MARKER = "scaled_fp8";

    private static final List<String> SCALES = List.of("scale_weight", "weight_scale");

    /** Scales of activations, for programs that compute in eight bits. */
    private static final List<String> OF_INPUTS = List.of("scale_input", "input_scale");

    private final SafetensorsFile file;
    private final Map<String, String> scales = new LinkedHashMap<>(); // by scaled tensor
    private final Set<String> names = new LinkedHashSet<>();

    private ScaledTensors(SafetensorsFile file) {
        this.file = file;
    }

    /**
     * The tensors of a file, scaled where that is to be.
     *
     * @throws TomeException if scales are missing
     */
    public static StoredTensors of(SafetensorsFile file) {
        ScaledTensors scaled = new ScaledTensors(file);
        boolean marked = false;
        for (String name : file.names()) {
            int dot = name.lastIndexOf('.');
            String last = name.substring(dot + 1);
            String weight = name.substring(0, dot + 1) + "weight";
            if (SCALES.contains(last) && file.names().contains(weight)) {
                scaled.scales.put(weight, name);
            } else if (last.equals(MARKER)) {
                marked = true;
            } else if (!OF_INPUTS.contains(last) || !file.names().contains(weight)) {
                scaled.names.add(name);
            }
        }
        if (marked || !scaled.scales.isEmpty()) {
            scaled.requireScales();
        }
        return marked || !scaled.scales.isEmpty() ? scaled : file;
    }

    private void requireScales() {
        List<String> without = names.stream()
                .filter(name -> file.dtype(name).startsWith("F8") && !scales.containsKey(name))
                .toList();
        if (!without.isEmpty()) {
            throw new TomeException("The file " + file.path()
                    + " holds values of eight bits that are to be multiplied by"
                    + " scales (it says so by '" + MARKER + "', or has some), and has none for " + without.size()
                    + " of them, such as '" + without.get(0) + "'. Without its scales a model gives noise: the file is"
                    + " incomplete. Get it anew, or in fp16.");
        }
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(names);
    }

    @Override
    public long[] shape(String name) {
        return file.shape(name);
    }

    @Override
    public Tensor load(String name) {
        String scale = scales.get(name);
        if (scale == null) {
            return file.load(name);
        }
        try (var scope = TensorScope.open()) {
            Tensor values = file.load(name).to(ScalarType.Float);
            Tensor factors = file.load(scale).to(ScalarType.Float);
            return scope.release(values.mul_(alongRows(factors, values)));
        }
    }

    /** One factor for all, or one for each row. */
    private static Tensor alongRows(Tensor factors, Tensor values) {
        if (factors.numel() == 1) {
            return factors.view(new long[0]);
        }
        if (factors.dim() != 1) {
            return factors;
        }
        long[] shape = new long[(int) values.dim()];
        Arrays.fill(shape, 1);
        shape[0] = Tensors.shape(factors)[0];
        return factors.view(shape);
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public String origin(String name) {
        return file.origin(name);
    }
}
