package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.tensor.Placement;
import java.util.List;

/**
 * A kind of checkpoint that can be run: it builds the stages, and nobody else asks what family a model is. A new family is a
 * class and a line of {@link #ALL}.
 */
interface ModelFamily {
    /** All families. */
    List<ModelFamily> ALL = List.of(new StableDiffusion());

    /** The diffusers pipelines whose checkpoints it can run, such as {@code StableDiffusionPipeline}. */
    List<String> pipelineClasses();

    /**
     * Loads a checkpoint of this family; what is small first, so that what is wrong there is said before gigabytes are read.
     *
     * @param modelName what to call it
     * @throws io.tome4j.tensor.TomeException if a part is missing, damaged or does not fit the others; nothing stays in
     *     memory
     */
    Stages load(CheckpointFolder checkpoint, String modelName, Placement placement, PipelineOptions options);

    /** The family of a checkpoint. */
    static ModelFamily of(CheckpointFolder checkpoint) {
        String wanted = checkpoint.modelIndex().pipelineClass();
        return ALL.stream()
                .filter(family -> family.pipelineClasses().contains(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("No family has " + wanted + ", which was accepted"));
    }
}
