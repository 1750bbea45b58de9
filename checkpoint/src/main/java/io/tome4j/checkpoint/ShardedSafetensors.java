package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** A model's tensors spread over several files, with an index that says which tensor lies in which. */
final class ShardedSafetensors implements Weights.Source {
    private final Path index;
    private final Map<String, SafetensorsFile> fileOf;

    private ShardedSafetensors(Path index, Map<String, SafetensorsFile> fileOf) {
        this.index = index;
        this.fileOf = fileOf;
    }

    /**
     * @param index a {@code *.safetensors.index.json}
     * @throws TomeException if it is damaged, a file it names is missing, or a tensor is not where it says
     */
    static ShardedSafetensors open(Path index) {
        Map<String, String> weightMap = Config.read(index).textMap("weight_map");
        Map<String, SafetensorsFile> files = new LinkedHashMap<>();
        Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
        weightMap.forEach((tensor, name) -> {
            SafetensorsFile file = files.computeIfAbsent(name, n -> openShard(index, n));
            if (!file.names().contains(tensor)) {
                throw new TomeException("The index " + index + " says that the tensor '" + tensor + "' lies in " + name
                        + ", but it is not there: the files do not belong together.");
            }
            fileOf.put(tensor, file);
        });
        return new ShardedSafetensors(index, fileOf);
    }

    private static SafetensorsFile openShard(Path index, String name) {
        Path file = index.resolveSibling(name);
        if (!file.equals(index.resolveSibling(file.getFileName()))) {
            throw new TomeException("The index " + index + " names a file outside its folder: " + name);
        }
        if (!Files.exists(file)) {
            throw new TomeException("The file " + file + " is missing, which the index " + index + " names.");
        }
        return SafetensorsFile.open(file);
    }

    private SafetensorsFile file(String name) {
        SafetensorsFile file = fileOf.get(name);
        if (file == null) {
            throw new IllegalArgumentException("No tensor '" + name + "' in " + index);
        }
        return file;
    }

    @Override
    public Set<String> names() {
        return fileOf.keySet();
    }

    @Override
    public long[] shape(String name) {
        return file(name).shape(name);
    }

    @Override
    public Tensor load(String name) {
        return file(name).load(name);
    }

    @Override
    public String origin(String name) {
        SafetensorsFile file = fileOf.get(name);
        return file == null ? index.toString() : file.origin(name);
    }
}
