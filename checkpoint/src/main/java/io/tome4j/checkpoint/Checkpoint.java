package io.tome4j.checkpoint;

import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The parts of a pipeline, under the names and in the words of diffusers, wherever they lie: in a
 * {@linkplain CheckpointFolder folder}, or in a single file that has other names for them.
 */
public interface Checkpoint {
    /** The folder or the file. */
    Path path();

    /** Which parts there are, and of which class each is. */
    ModelIndex modelIndex();

    /** Whether there is a part of this name. */
    boolean has(String component);

    /**
     * A part.
     *
     * @param name such as {@code unet}
     * @throws TomeException if it is missing, saying what there is
     */
    Component component(String name);

    /** The same checkpoint, but for a part that is taken from elsewhere; its class stays that of the one it replaces. */
    default Checkpoint with(Component replacement) {
        return new ChangedCheckpoint(this, replacement);
    }

    /** A part of a checkpoint. */
    interface Component {
        String name();

        /** Where it lies, for messages. */
        String origin();

        /**
         * What describes it: {@code config.json}, or {@code scheduler_config.json}. Each call gives one of which nothing was
         * read yet.
         *
         * @throws TomeException if there is none, or it is not valid
         */
        Config config();

        /**
         * Its tensors, under diffusers' names.
         *
         * @throws TomeException if there are none, or they are damaged
         */
        StoredTensors weights();

        /** The folder of its small files, such as a tokenizer's; empty where it has none. */
        Optional<Path> folder();

        /** The same part, but for one setting of its config (a string, number, boolean or list). */
        default Component with(String key, Object value) {
            return new ChangedCheckpoint.ChangedComponent(this, key, value);
        }
    }
}
