package io.tome4j.models.unet;

import io.tome4j.models.unet.UNetConfig.TextTime;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What residual blocks see of the timestep and, in a model that wants it, of {@link AddedConditioning}: the sum of an
 * embedding of each.
 */
final class TimeEmbedding {
    private final Sinusoid sinusoid;
    private final TimestepEmbedding timeEmbedding;
    private final @Nullable Linear guidanceProjection; // where the model is told the guidance scale
    private final @Nullable TextTime textTime;
    private final @Nullable TimestepEmbedding addEmbedding; // where there is textTime
    private final UNetConfig config;
    private final Placement placement;

    /** Takes the tensors of {@code time_embedding} and {@code add_embedding} below {@code weights}. */
    TimeEmbedding(Weights weights, UNetConfig config) {
        int first = config.blockOutChannels().get(0);
        this.sinusoid = new Sinusoid(first, config.flipSinToCos(), config.freqShift());
        this.timeEmbedding = new TimestepEmbedding(weights.scope("time_embedding"), first, config);
        this.guidanceProjection = config.guidanceSize() == 0
                ? null
                : Linear.withoutBias(weights.scope("time_embedding").scope("cond_proj"), config.guidanceSize(), first);
        this.textTime = config.textTime().orElse(null);
        this.addEmbedding = textTime == null
                ? null
                : new TimestepEmbedding(weights.scope("add_embedding"), textTime.inputSize(), config);
        this.config = config;
        this.placement = weights.placement();
    }

    /**
     * @param timesteps each in [0, the number of training steps)
     * @param added what the model wants besides them
     * @param guidanceScale what a model is told that wants to know; 1 is no guidance
     * @return {@code [timesteps, B, T]} with a row for each of {@code added}, or one where there is none
     * @throws IllegalArgumentException if the model wants it and there is none, the other way round, or it has other sizes
     */
    Tensor forward(double[] timesteps, Optional<AddedConditioning> added, double guidanceScale) {
        requireWanted(added);
        try (var scope = TensorScope.open()) {
            Tensor input = placement.place(sinusoid.of(timesteps)); // [timesteps, C]
            if (guidanceProjection != null) {
                Tensor guidance = placement.place(GuidanceEmbedding.of(guidanceScale, config.guidanceSize()));
                input = input.add(guidanceProjection.forward(guidance));
            }
            Tensor times = timeEmbedding.forward(input); // [timesteps, T]
            Tensor column = times.unsqueeze(1);
            return scope.release(added.isEmpty() ? column : column.add(forward(added.get())));
        }
    }

    /** {@code [B, T]}. */
    private Tensor forward(AddedConditioning added) {
        TextTime wanted = wanted(textTime);
        Tensor ids = Placement.CPU_FP32.place(added.timeIds());
        float[] values = Tensors.floats(ids.contiguous());
        double[] numbers =
                IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
        Tensor sizes = new Sinusoid(wanted.timeIdSize(), config.flipSinToCos(), config.freqShift())
                .of(numbers)
                .view(added.rows(), -1); // [B, K * size]
        Tensor input = Tensors.cat(1, Placement.CPU_FP32.place(added.pooled()), sizes);
        if (input.size(1) != wanted.inputSize()) {
            throw new IllegalArgumentException("Pooled embeddings and time ids give " + input.size(1)
                    + " numbers a row where the UNet's 'projection_class_embeddings_input_dim' is "
                    + wanted.inputSize());
        }
        return wanted(addEmbedding).forward(placement.place(input));
    }

    private void requireWanted(Optional<AddedConditioning> added) {
        if (added.isPresent() != (textTime != null)) {
            throw new IllegalArgumentException(
                    textTime == null
                            ? "This UNet has no use for pooled embeddings and time ids"
                            : "This UNet wants pooled embeddings and time ids besides the text embeddings");
        }
    }

    private static <T> T wanted(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("Asked for an embedding that the model does not have");
        }
        return part;
    }
}
