package io.tome4j.checkpoint;

import io.tome4j.tensor.StoredTensors;
import java.nio.file.Path;
import java.util.Optional;

/** A checkpoint with a part from elsewhere. */
record ChangedCheckpoint(Checkpoint whole, Component replacement) implements Checkpoint {
    /** A part with another setting. */
    record ChangedComponent(Component whole, String key, Object value) implements Component {
        @Override
        public String name() {
            return whole.name();
        }

        @Override
        public String origin() {
            return whole.origin();
        }

        @Override
        public Config config() {
            return whole.config().with(key, value);
        }

        @Override
        public StoredTensors weights() {
            return whole.weights();
        }

        @Override
        public Optional<Path> folder() {
            return whole.folder();
        }
    }

    @Override
    public Path path() {
        return whole.path();
    }

    @Override
    public ModelIndex modelIndex() {
        return whole.modelIndex();
    }

    @Override
    public boolean has(String component) {
        return component.equals(replacement.name()) || whole.has(component);
    }

    @Override
    public Component component(String name) {
        return name.equals(replacement.name()) ? replacement : whole.component(name);
    }
}
