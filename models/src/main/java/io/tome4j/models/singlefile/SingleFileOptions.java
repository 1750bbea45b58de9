package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import java.util.Optional;

/**
 * What a single file does not tell, or tells wrong.
 *
 * @param base what it was trained from; empty to tell it by its tensors
 * @param config a checkpoint whose configs, tokenizers and scheduler are taken, and the parts that the file lacks
 * @param movingAverage whether moving averages of the weights are taken in the weights' place, where the file has them
 */
public record SingleFileOptions(Optional<BaseModel> base, Optional<Checkpoint> config, boolean movingAverage) {
    /** All is told by the file. */
    public static final SingleFileOptions DEFAULT = new SingleFileOptions(Optional.empty(), Optional.empty(), false);
}
