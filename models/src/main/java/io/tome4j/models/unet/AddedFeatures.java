package io.tome4j.models.unet;

import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * What is added to a UNet's features in a forward pass by networks that see an image. Its tensors belong to whoever made them.
 *
 * @param control what ControlNets give, of as many rows as the pass has; empty for nothing
 * @param adapter what T2I-Adapters give (arXiv 2302.08453, section 3.2), {@code [1, C, H, W]} each, for all rows: one for each
 *     level on the way down, and, if there are more, one for the middle
 */
public record AddedFeatures(Optional<ControlResiduals> control, List<Tensor> adapter) {
    /** Nothing. */
    public static final AddedFeatures NONE = new AddedFeatures(Optional.empty(), List.of());

    public AddedFeatures {
        adapter = List.copyOf(adapter);
    }

    /** What is added to a level's result on the way down. */
    Optional<Tensor> toLevel(int level) {
        return level < adapter.size() ? Optional.of(adapter.get(level)) : Optional.empty();
    }

    /** The middle's result with what T2I-Adapters add to it; features of other sizes are passed over, as in diffusers. */
    Tensor adapted(Tensor middle, int levels) {
        return toLevel(levels)
                .filter(added -> added.size(1) == middle.size(1)
                        && added.size(2) == middle.size(2)
                        && added.size(3) == middle.size(3))
                .map(middle::add)
                .orElse(middle);
    }
}
