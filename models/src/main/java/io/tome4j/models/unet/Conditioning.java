package io.tome4j.models.unet;

import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * What a UNet's blocks make of the text and of a run's timesteps: computed once for an image, not in every step. Made by
 * {@link UNet2DConditionModel#condition}, for that model; its tensors belong to the scope that was open then.
 */
public final class Conditioning {
    private final double[] timesteps;
    private final Map<Attention, List<Tensor>> textPairs = new HashMap<>(); // [B, M, 2C], B in all
    private final Map<Attention, List<ImagePrompt.Pairs>> imagePairs = new HashMap<>(); // of B rows
    private final Map<ResnetBlock2D, Tensor> timeProjections = new HashMap<>(); // [timesteps, B or 1, C]

    private Conditioning(double[] timesteps) {
        this.timesteps = timesteps.clone();
    }

    /** What the parts of a model make of texts, images and timesteps; belongs to the open scope. */
    static Conditioning of(
            List<Tensor> texts,
            List<ImagePrompt> images,
            Optional<AddedConditioning> added,
            double guidanceScale,
            double[] timesteps,
            Placement placement,
            List<BasicTransformerBlock> blocks,
            List<ResnetBlock2D> resnets,
            TimeEmbedding timeEmbedding) {
        try (var scope = TensorScope.open()) {
            Conditioning conditioning = new Conditioning(timesteps);
            List<Tensor> embeddings = texts.stream().map(placement::place).toList();
            long rows = texts.stream().mapToLong(text -> text.size(0)).sum();
            for (BasicTransformerBlock block : blocks) {
                Attention attention = block.crossAttention();
                conditioning.textPairs.put(
                        attention,
                        embeddings.stream()
                                .map(text -> scope.release(attention.pairs(text)))
                                .toList());
                List<ImagePrompt.Pairs> pairs = images.stream()
                        .map(image -> image.pairs(block.name(), rows))
                        .toList();
                pairs.forEach(one -> scope.release(one.pairs()));
                conditioning.imagePairs.put(attention, pairs);
            }
            Tensor activatedTimes =
                    torch.silu_(timeEmbedding.forward(timesteps, added, guidanceScale)); // [timesteps, B or 1, T]
            for (ResnetBlock2D resnet : resnets) {
                conditioning.timeProjections.put(resnet, scope.release(resnet.projectTimes(activatedTimes)));
            }
            return conditioning;
        }
    }

    /**
     * What the blocks see in one step.
     *
     * @param number the timestep's place among those conditioned for
     * @param rows of the step's batch: the text's last so many
     */
    record Step(Conditioning conditioning, int number, long rows) {
        /** The text's keys and values, {@code [B, M, 2C]} for each run of rows with texts of one length, {@code rows} in all. */
        List<Tensor> textPairs(Attention attention) {
            List<Tensor> all = found(conditioning.textPairs.get(attention));
            if (all.size() == 1) {
                return List.of(lastRows(all.get(0)));
            }
            Deque<Tensor> last = new ArrayDeque<>();
            long missing = rows;
            for (int group = all.size() - 1; group >= 0 && missing > 0; group--) {
                Tensor pairs = all.get(group);
                long taken = Math.min(missing, pairs.size(0));
                last.addFirst(Tensors.slice(pairs, 0, pairs.size(0) - taken, pairs.size(0)));
                missing -= taken;
            }
            return List.copyOf(last);
        }

        /** The images' keys and values, of {@code rows} rows. */
        List<ImagePrompt.Pairs> imagePairs(Attention attention) {
            return found(conditioning.imagePairs.get(attention)).stream()
                    .map(image -> new ImagePrompt.Pairs(lastRows(image.pairs()), image.scale()))
                    .toList();
        }

        /** What a residual block adds to its features, {@code [rows or 1, C, 1, 1]}. */
        Tensor time(ResnetBlock2D block) {
            Tensor projections = found(conditioning.timeProjections.get(block));
            Tensor now = lastRows(projections.select(0, number)); // [rows or 1, C]
            return now.view(now.size(0), now.size(1), 1, 1);
        }

        private Tensor lastRows(Tensor ofRows) {
            long all = ofRows.size(0);
            return all <= rows ? ofRows : Tensors.slice(ofRows, 0, all - rows, all);
        }

        private static <T> T found(@Nullable T tensor) {
            if (tensor == null) {
                throw new IllegalArgumentException("This conditioning was made by another model");
            }
            return tensor;
        }
    }

    Step at(double timestep, long rows) {
        for (int number = 0; number < timesteps.length; number++) {
            if (timesteps[number] == timestep) {
                return new Step(this, number, rows);
            }
        }
        throw new IllegalArgumentException(
                "The timestep " + timestep + " is not among those conditioned for, " + Arrays.toString(timesteps));
    }
}
