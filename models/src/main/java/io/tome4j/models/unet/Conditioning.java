package io.tome4j.models.unet;

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
    private final Map<ResnetBlock2D, Tensor> timeProjections = new HashMap<>(); // [timesteps, C]

    Conditioning(double[] timesteps) {
        this.timesteps = timesteps.clone();
    }

    /** What the blocks see in one step. */
    record Step(Conditioning conditioning, int number) {
        /** The text's keys and values, {@code [B, M, 2C]}. */
        Tensor textPairs(Attention attention) {
            return found(conditioning.textPairs.get(attention));
        }

        /** What a residual block adds to its features, {@code [1, C, 1, 1]}. */
        Tensor time(ResnetBlock2D block) {
            Tensor projections = found(conditioning.timeProjections.get(block));
            return projections.select(0, number).view(1, -1, 1, 1);
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

    Step at(double timestep) {
        for (int number = 0; number < timesteps.length; number++) {
            if (timesteps[number] == timestep) {
                return new Step(this, number);
            }
        }
        throw new IllegalArgumentException(
                "The timestep " + timestep + " is not among those conditioned for, " + Arrays.toString(timesteps));
    }
}
