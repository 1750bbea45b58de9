package io.tome4j.models.unet;

import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What a UNet's blocks make of the text and of a run's timesteps: computed once for an image, not in every step. Made by
 * {@link UNet2DConditionModel#condition}, for that model; its tensors belong to the scope that was open then.
 */
public final class Conditioning {
    private final double[] timesteps;
    private final Map<Attention, Tensor> textPairs = new HashMap<>(); // [B, M, 2C]
    private final Map<ResnetBlock2D, Tensor> timeProjections = new HashMap<>(); // [timesteps, B or 1, C]

    Conditioning(double[] timesteps) {
        this.timesteps = timesteps.clone();
    }

    /**
     * What the blocks see in one step.
     *
     * @param number the timestep's place among those conditioned for
     * @param rows of the step's batch: the text's last so many
     */
    record Step(Conditioning conditioning, int number, long rows) {
        /** The text's keys and values, {@code [rows, M, 2C]}. */
        Tensor textPairs(Attention attention) {
            return lastRows(found(conditioning.textPairs.get(attention)));
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

        private static Tensor found(@Nullable Tensor tensor) {
            if (tensor == null) {
                throw new IllegalArgumentException("This conditioning was made by another model");
            }
            return tensor;
        }
    }

    void textPairs(Attention attention, Tensor pairs) {
        textPairs.put(attention, pairs);
    }

    void time(ResnetBlock2D block, Tensor projections) {
        timeProjections.put(block, projections);
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
