package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A part of a checkpoint that lies in a single file, or needs no file.
 *
 * @param configs gives its config anew each time
 * @param tensors its tensors under diffusers' names; empty for a tokenizer or scheduler
 */
record FilePart(String name, String origin, Supplier<Config> configs, Optional<StoredTensors> tensors)
        implements Checkpoint.Component {
    /** A part without tensors, of a config that is told rather than read. */
    static FilePart told(String name, String origin, String json) {
        return new FilePart(name, origin, () -> Config.parse(json, origin + ": " + name), Optional.empty());
    }

    @Override
    public Config config() {
        return configs.get();
    }

    @Override
    public StoredTensors weights() {
        return tensors.orElseThrow(() -> new TomeException("The " + name + " of " + origin + " has no tensors."));
    }

    @Override
    public Optional<Path> folder() {
        return Optional.empty();
    }
}
