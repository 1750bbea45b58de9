package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A folder of ControlNets, by their names: a file's without {@code .safetensors}, or that of a folder that diffusers saved;
 * in folders below, with the folders before it.
 */
public final class ControlNetFolder {
    private static final String CONFIG = "config.json";

    private final NamedFiles files;

    private ControlNetFolder(NamedFiles files) {
        this.files = files;
    }

    /** @throws OptionException if there is no such folder */
    public static ControlNetFolder of(Path folder) {
        return new ControlNetFolder(new NamedFiles(folder, "controlnet"));
    }

    /** All names, in order. It is looked up anew each time: files come and go. */
    public List<String> names() {
        return List.copyOf(all().keySet());
    }

    /** Weights beside a config are a folder that diffusers saved. */
    private Map<String, Path> all() {
        Map<String, Path> nets = new TreeMap<>();
        files.all().forEach((name, file) -> {
            Path folder = file.resolveSibling("");
            int slash = name.lastIndexOf('/');
            if (slash > 0 && Files.exists(file.resolveSibling(CONFIG))) {
                nets.put(name.substring(0, slash), folder);
            } else {
                nets.put(name, file);
            }
        });
        return nets;
    }

    /**
     * A control whose model is one of these names gets the file or folder of it.
     *
     * @throws OptionException if there is none of this name (it says which are alike), or several
     */
    public Control resolve(Control control) {
        return control.in(files.find(control.model(), all()));
    }
}
