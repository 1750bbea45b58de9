package io.tome4j.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model's modules that hold tensors (a convolution, a linear layer, a norm), each under the name that diffusers gives it
 * and under the one of the programs before it, LDM: {@code down_blocks.1.resnets.0.conv1} is
 * {@code input_blocks.4.0.in_layers.2} there. A tensor's name is its module's with {@code .weight} or {@code .bias} after
 * it, in both.
 *
 * <p>Networks make it of their own modules ({@code UNetNames}, {@code VaeNames} and {@code ClipTextNames} in
 * {@code io.tome4j.models}), so that it holds just those that the model of a config has. Files are read by looking names up
 * in it. Names of files that write other characters between a module's parts, such as kohya's underscores, are made of
 * {@link #all()} and looked up likewise; the way back, from such a name to a module's, cannot be told from the text.
 */
public final class ModuleNames {
    /**
     * One module.
     *
     * @param diffusers its name in diffusers (or transformers)
     * @param ldm its name in LDM
     */
    public record Module(String diffusers, String ldm) {}

    private final Map<String, Module> byDiffusers = new LinkedHashMap<>();
    private final Map<String, Module> byLdm = new LinkedHashMap<>();

    /** All modules, in the order in which the model builds them. */
    public List<Module> all() {
        return List.copyOf(byDiffusers.values());
    }

    /** The module that diffusers calls so. */
    public Optional<Module> ofDiffusers(String name) {
        return Optional.ofNullable(byDiffusers.get(name));
    }

    /** The module that LDM calls so. */
    public Optional<Module> ofLdm(String name) {
        return Optional.ofNullable(byLdm.get(name));
    }

    /** By each module's name in LDM the one in diffusers. */
    public Map<String, String> ldmToDiffusers() {
        Map<String, String> names = new LinkedHashMap<>();
        byLdm.forEach((ldm, module) -> names.put(ldm, module.diffusers()));
        return Collections.unmodifiableMap(names);
    }

    /** Where modules are added: for networks alone. */
    public static final class Builder {
        private final ModuleNames names;
        private final String diffusers;
        private final String ldm;

        private Builder(ModuleNames names, String diffusers, String ldm) {
            this.names = names;
            this.diffusers = diffusers;
            this.ldm = ldm;
        }

        /** No modules yet. */
        public Builder() {
            this(new ModuleNames(), "", "");
        }

        /** The place below a part of the model, for what has names of its own there. */
        public Builder below(String diffusersName, String ldmName) {
            return new Builder(names, diffusers + diffusersName + ".", ldm + ldmName + ".");
        }

        /** The place below a part that both call the same. */
        public Builder below(String name) {
            return below(name, name);
        }

        /**
         * Adds a module.
         *
         * @throws IllegalStateException if there is one of the name, in either convention
         */
        public Builder add(String diffusersName, String ldmName) {
            Module module = new Module(diffusers + diffusersName, ldm + ldmName);
            if (names.byDiffusers.put(module.diffusers(), module) != null
                    || names.byLdm.put(module.ldm(), module) != null) {
                throw new IllegalStateException("Two modules of the name " + module);
            }
            return this;
        }

        /** Adds modules that both call the same. */
        public Builder add(List<String> same) {
            same.forEach(name -> add(name, name));
            return this;
        }

        /** All that was added, here and below every other part of the model. */
        public ModuleNames build() {
            return names;
        }
    }

    private ModuleNames() {}
}
