package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointKind;
import io.tome4j.tensor.Placement;
import java.util.List;

/**
 * A kind of checkpoint that can be run: it builds the stages, and nobody else asks what family a model is. A new family is a
 * class and a line of {@link #ALL}.
 */
interface ModelFamily {
    /** All families. */
    List<ModelFamily> ALL = List.of(new StableDiffusion(), StableDiffusionXl.BASE, StableDiffusionXl.REFINER);

    /** Which checkpoints it can run, and which of their files it needs. */
    CheckpointKind kind();

    /**
     * Loads a checkpoint of this family; what is small first, so that what is wrong there is said before gigabytes are read.
     *
     * @param modelName what to call it
     * @throws io.tome4j.tensor.TomeException if a part is missing, damaged or does not fit the others; nothing stays in
     *     memory
     */
    Stages load(Checkpoint checkpoint, String modelName, Placement placement, PipelineOptions options);

    /** Which checkpoints can be run. */
    static List<CheckpointKind> kinds() {
        return ALL.stream().map(ModelFamily::kind).toList();
    }

    /** The family of a checkpoint. */
    static ModelFamily of(Checkpoint checkpoint) {
        return ALL.stream()
                .filter(family -> family.kind().includes(checkpoint.modelIndex()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "No family runs a " + checkpoint.modelIndex().pipelineClass() + ", which was accepted"));
    }
}
