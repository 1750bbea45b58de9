package io.tome4j.checkpoint.lora;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What a LoRA file holds for one module. Its tensors are loaded when they are added to the module's, and forgotten again.
 *
 * <p>A weight {@code W} becomes {@code W + strength * delta}, in fp32. The delta is alpha / r times {@code up @ down}
 * (LoRA, arXiv 2106.09685; with a middle for convolutions), {@code (w1_a @ w1_b) * (w2_a @ w2_b)} (LoHa, arXiv
 * 2108.06098), {@code kron(w1, w2)} (LoKr, arXiv 2309.14859), given as it is, or {@code W} times scales of its rows or
 * columns (IA3). With DoRA (arXiv 2402.09353) {@code W + delta} gets rows, or columns, of given lengths, and what that
 * changes is added.
 */
final class LoraModule {
    /** What alone changes no weight. */
    private static final Set<LoraPart> BESIDE_WEIGHTS = EnumSet.of(
            LoraPart.UP_BIAS,
            LoraPart.ALPHA,
            LoraPart.SCALE,
            LoraPart.DORA,
            LoraPart.DORA_OF_ROWS,
            LoraPart.DIFF_BIAS,
            LoraPart.IA3_ON_INPUT);

    private static final Set<LoraPart> MIDDLES =
            EnumSet.of(LoraPart.MID, LoraPart.HADA_T1, LoraPart.HADA_T2, LoraPart.KRON_T2);

    private final SafetensorsFile file;
    private final String spelled;
    private final Map<LoraPart, String> keys = new EnumMap<>(LoraPart.class);
    private OptionalDouble alpha = OptionalDouble.empty(); // where the file says it beside the tensors
    private boolean rankStabilised;

    /** @param spelled its name in the file */
    LoraModule(SafetensorsFile file, String spelled) {
        this.file = file;
        this.spelled = spelled;
    }

    /** @param key the tensor's name in the file */
    void put(LoraPart part, String key) {
        String other = keys.put(part, key);
        if (other != null) {
            throw new TomeException("The tensors '" + other + "' and '" + key + "' in " + file.path()
                    + " are the same part of the same module: the file holds two adapters. Save one by itself.");
        }
    }

    /**
     * What the file's metadata says of alpha; a tensor says it better.
     *
     * @param squareRoot whether the delta is multiplied by alpha over the root of r (arXiv 2312.03732)
     */
    void alpha(double value, boolean squareRoot) {
        alpha = OptionalDouble.of(value);
        rankStabilised = squareRoot;
    }

    String spelled() {
        return spelled;
    }

    Collection<String> keys() {
        return keys.values();
    }

    boolean has(LoraPart part) {
        return keys.containsKey(part);
    }

    /** Whether it has numbers that belong to a delta, and no delta. */
    boolean isNumbersAlone() {
        return !changesBias() && !changesWeight();
    }

    boolean changesWeight() {
        return keys.keySet().stream().anyMatch(part -> !BESIDE_WEIGHTS.contains(part));
    }

    boolean changesBias() {
        return has(LoraPart.DIFF_BIAS) || has(LoraPart.UP_BIAS);
    }

    /**
     * The sizes of the delta: of a convolution perhaps as {@code [out, in * k * k]}; of IA3, which scales, those of the
     * scales.
     *
     * @throws TomeException if a tensor is missing, or two do not fit together
     */
    long[] deltaShape() {
        if (has(LoraPart.UP) || has(LoraPart.DOWN)) {
            long[] up = shape(LoraPart.UP);
            long[] down = shape(LoraPart.DOWN);
            if (!has(LoraPart.MID)) {
                require(up[1] == down[0], LoraPart.UP, LoraPart.DOWN);
                return join(new long[] {up[0]}, Arrays.copyOfRange(down, 1, down.length));
            }
            long[] mid = shape(LoraPart.MID);
            require(up[1] == mid[0], LoraPart.UP, LoraPart.MID);
            require(mid[1] == down[0], LoraPart.MID, LoraPart.DOWN);
            return join(new long[] {up[0], down[1]}, Arrays.copyOfRange(mid, 2, mid.length));
        }
        if (keys.keySet().stream().anyMatch(part -> part.name().startsWith("HADA"))) {
            long[] first = product(LoraPart.HADA_W1_A, LoraPart.HADA_W1_B, LoraPart.HADA_T1);
            long[] second = product(LoraPart.HADA_W2_A, LoraPart.HADA_W2_B, LoraPart.HADA_T2);
            require(Arrays.equals(first, second), LoraPart.HADA_W1_A, LoraPart.HADA_W2_A);
            return first;
        }
        if (keys.keySet().stream().anyMatch(part -> part.name().startsWith("KRON"))) {
            long[] first =
                    has(LoraPart.KRON_W1) ? shape(LoraPart.KRON_W1) : product(LoraPart.KRON_W1_A, LoraPart.KRON_W1_B);
            long[] second = has(LoraPart.KRON_W2)
                    ? shape(LoraPart.KRON_W2)
                    : product(LoraPart.KRON_W2_A, LoraPart.KRON_W2_B, LoraPart.KRON_T2);
            long[] kernel = Arrays.copyOfRange(second, 2, second.length);
            return join(new long[] {first[0] * second[0], first[1] * second[1]}, kernel);
        }
        if (has(LoraPart.IA3)) {
            return shape(LoraPart.IA3);
        }
        return shape(LoraPart.DIFF);
    }

    /** The sizes of what two factors give, perhaps with a middle between them. */
    private long[] product(LoraPart a, LoraPart b) {
        require(shape(a)[1] == shape(b)[0], a, b);
        return new long[] {shape(a)[0], shape(b)[1]};
    }

    private long[] product(LoraPart a, LoraPart b, LoraPart middle) {
        if (!has(middle)) {
            return product(a, b);
        }
        long[] between = shape(middle); // [r, r, k, k]; factors are [r, out] and [r, in]
        require(shape(a)[0] == between[0], a, middle);
        require(shape(b)[0] == between[1], middle, b);
        return join(new long[] {shape(a)[1], shape(b)[1]}, Arrays.copyOfRange(between, 2, between.length));
    }

    private void require(boolean fits, LoraPart one, LoraPart other) {
        if (!fits) {
            throw new TomeException("The tensors '" + keys.get(one) + "' " + Arrays.toString(shape(one)) + " and '"
                    + keys.get(other) + "' " + Arrays.toString(shape(other)) + " in " + file.path()
                    + " do not fit together: the file is damaged.");
        }
    }

    /** The sizes of a factor, of a middle or of a whole delta. */
    private long[] shape(LoraPart part) {
        long[] shape = file.shape(key(part));
        int least = part == LoraPart.DIFF || part == LoraPart.IA3 ? 1 : MIDDLES.contains(part) ? 3 : 2;
        if (shape.length < least) {
            throw new TomeException("The tensor '" + key(part) + "' in " + file.path() + " has the shape "
                    + Arrays.toString(shape) + ", where at least " + least + " sizes belong: the file is damaged.");
        }
        return shape;
    }

    /** The name of a tensor that must be there. */
    private String key(LoraPart part) {
        String key = keys.get(part);
        if (key == null) {
            throw new TomeException("The file " + file.path() + " holds '"
                    + keys.values().iterator().next() + "' and not all else that belongs to it ("
                    + part.name().toLowerCase(Locale.ROOT) + " is missing): the file is damaged.");
        }
        return key;
    }

    /**
     * Whether the delta is one of a weight of this shape. That of a first convolution may lack the inputs that models for
     * inpainting have after the others: they stay as they are.
     *
     * @param isFirst whether it is the weight of a first convolution
     */
    boolean fitsWeight(long[] weight, boolean isFirst) {
        long[] delta = deltaShape();
        if (has(LoraPart.IA3)) {
            return elements(delta) == weight[isOnInput() ? 1 : 0];
        }
        return delta.length > 0
                && delta[0] == weight[0]
                && (elements(delta) == elements(weight) || (isFirst && lacksInputs(delta, weight)));
    }

    boolean fitsBias(long[] bias) {
        LoraPart part = has(LoraPart.DIFF_BIAS) ? LoraPart.DIFF_BIAS : LoraPart.UP_BIAS;
        return elements(file.shape(key(part))) == elements(bias);
    }

    private static boolean lacksInputs(long[] delta, long[] weight) {
        long perInput = weight.length == 4 ? weight[2] * weight[3] : 1;
        long columns = elements(delta) / delta[0];
        return weight.length == 4 && columns % perInput == 0 && columns / perInput < weight[1];
    }

    private static long elements(long[] shape) {
        return LongStream.of(shape).reduce(1, (a, b) -> a * b);
    }

    private static long[] join(long[] first, long[] second) {
        return LongStream.concat(LongStream.of(first), LongStream.of(second)).toArray();
    }

    /**
     * Adds the delta to a weight.
     *
     * @param weight fp32 on the CPU, of a shape that {@linkplain #fitsWeight fits}
     * @return fp32, of the same shape, in the open scope
     */
    Tensor addedTo(Tensor weight, double strength) {
        try (var scope = TensorScope.open()) {
            if (has(LoraPart.IA3)) {
                long[] along = new long[(int) weight.dim()];
                Arrays.fill(along, 1);
                along[isOnInput() ? 1 : 0] = -1;
                Tensor scaled = weight.mul(load(LoraPart.IA3).reshape(along));
                return scope.release(weight.add(scaled, new Scalar(strength)));
            }
            Tensor delta = inShape(delta(), Tensors.shape(weight));
            if (has(LoraPart.DORA) || has(LoraPart.DORA_OF_ROWS)) {
                Tensor changed = withLengths(weight.add(delta)).sub(weight);
                return scope.release(weight.add(changed, new Scalar(strength)));
            }
            return scope.release(weight.add(delta, new Scalar(strength)));
        }
    }

    /** As {@link #addedTo}, of a bias. */
    Tensor addedToBias(Tensor bias, double strength) {
        try (var scope = TensorScope.open()) {
            Tensor sum = bias;
            if (has(LoraPart.DIFF_BIAS)) {
                sum = sum.add(load(LoraPart.DIFF_BIAS).reshape(Tensors.shape(bias)), new Scalar(strength));
            }
            if (has(LoraPart.UP_BIAS)) {
                Tensor added = load(LoraPart.UP_BIAS).reshape(Tensors.shape(bias));
                sum = sum.add(added, new Scalar(strength * scale(shape(LoraPart.DOWN)[0])));
            }
            return scope.release(sum);
        }
    }

    private static Tensor inShape(Tensor delta, long[] shape) {
        if (delta.numel() == elements(shape)) {
            return delta.reshape(shape);
        }
        long inputs = delta.numel() / (shape[0] * shape[2] * shape[3]);
        Tensor fewer = delta.reshape(shape[0], inputs, shape[2], shape[3]);
        return torch.constant_pad_nd(fewer, 0, 0, 0, 0, 0, shape[1] - inputs);
    }

    /** The delta in fp32, before the strength. */
    private Tensor delta() {
        if (has(LoraPart.UP)) {
            double scale = scale(shape(LoraPart.DOWN)[0]);
            Tensor up = matrix(load(LoraPart.UP));
            Tensor down = load(LoraPart.DOWN);
            Tensor delta = has(LoraPart.MID)
                    ? LoraMath.contracted(load(LoraPart.MID), up.t(), matrix(down))
                    : up.matmul(matrix(down));
            return delta.mul(new Scalar(scale));
        }
        if (has(LoraPart.HADA_W1_A)) {
            Tensor first = product(LoraPart.HADA_W1_A, LoraPart.HADA_W1_B, LoraPart.HADA_T1, true);
            Tensor second = product(LoraPart.HADA_W2_A, LoraPart.HADA_W2_B, LoraPart.HADA_T2, true);
            return first.mul(second).mul(new Scalar(scale(shape(LoraPart.HADA_W1_B)[0])));
        }
        if (has(LoraPart.KRON_W1) || has(LoraPart.KRON_W1_A)) {
            Tensor first = product(LoraPart.KRON_W1_A, LoraPart.KRON_W1_B, LoraPart.KRON_W1, false);
            Tensor second = has(LoraPart.KRON_W2)
                    ? load(LoraPart.KRON_W2)
                    : product(LoraPart.KRON_W2_A, LoraPart.KRON_W2_B, LoraPart.KRON_T2, true);
            Tensor delta = LoraMath.kron(first, second);
            return has(LoraPart.KRON_W1) && has(LoraPart.KRON_W2) ? delta : delta.mul(new Scalar(scale(kronRank())));
        }
        return load(LoraPart.DIFF);
    }

    private long kronRank() {
        return shape(has(LoraPart.KRON_W1_B) ? LoraPart.KRON_W1_B : LoraPart.KRON_W2_B)[0];
    }

    /** @param third a middle between the two, or, instead of both, the whole */
    private Tensor product(LoraPart a, LoraPart b, LoraPart third, boolean thirdIsMiddle) {
        if (!has(third)) {
            return load(a).matmul(matrix(load(b)));
        }
        return thirdIsMiddle ? LoraMath.contracted(load(third), load(a), load(b)) : load(third);
    }

    /** {@code [n, ...]} as {@code [n, m]}. */
    private static Tensor matrix(Tensor x) {
        return x.reshape(x.size(0), -1);
    }

    /** @param changed the weight with the delta */
    private Tensor withLengths(Tensor changed) {
        Tensor lengths = load(has(LoraPart.DORA) ? LoraPart.DORA : LoraPart.DORA_OF_ROWS);
        boolean ofRows = has(LoraPart.DORA_OF_ROWS) || lengths.dim() < 2 || lengths.size(0) == changed.size(0);
        long wanted = changed.size(ofRows ? 0 : 1);
        if (lengths.numel() != wanted) {
            throw new TomeException("The tensor '" + keys.getOrDefault(LoraPart.DORA, keys.get(LoraPart.DORA_OF_ROWS))
                    + "' in " + file.path() + " has " + lengths.numel() + " elements, where " + wanted
                    + " belong: the file is damaged.");
        }
        return LoraMath.withLengths(changed, lengths, ofRows);
    }

    private double scale(long rank) {
        if (has(LoraPart.SCALE)) {
            return number(LoraPart.SCALE);
        }
        if (has(LoraPart.ALPHA)) {
            return number(LoraPart.ALPHA) / rank;
        }
        return alpha.isEmpty() ? 1 : alpha.getAsDouble() / (rankStabilised ? Math.sqrt(rank) : rank);
    }

    private boolean isOnInput() {
        return number(LoraPart.IA3_ON_INPUT) != 0;
    }

    private double number(LoraPart part) {
        try (var scope = TensorScope.open()) {
            float[] values = Tensors.floats(load(part));
            if (values.length != 1) {
                throw new TomeException("The tensor '" + keys.get(part) + "' in " + file.path() + " has "
                        + values.length + " elements where one number belongs: the file is damaged.");
            }
            return values[0];
        }
    }

    private Tensor load(LoraPart part) {
        return file.load(key(part)).to(ScalarType.Float);
    }
}
