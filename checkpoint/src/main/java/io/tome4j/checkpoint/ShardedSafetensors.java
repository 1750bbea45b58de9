package io.tome4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;

/** Tensors in several safetensors files, as an index ({@code *.safetensors.index.json}) distributes them. */
final class ShardedSafetensors implements StoredTensors {
    private final Path index;
    private final Map<String, SafetensorsFile> byTensor;

    private ShardedSafetensors(Path index, Map<String, SafetensorsFile> byTensor) {
        this.index = index;
        this.byTensor = byTensor;
    }

    /**
     * Opens all shards and checks that each holds just the tensors that the index says.
     *
     * @throws TomeException naming index, shard and tensor
     */
    static ShardedSafetensors open(Path index) {
        Map<String, String> weightMap = weightMap(index);
        Map<String, SafetensorsFile> shards = new TreeMap<>();
        List<String> missing = new ArrayList<>();
        for (String shard : new TreeSet<>(weightMap.values())) {
            Path file = index.resolveSibling(shard);
            if (Files.exists(file)) {
                shards.put(shard, SafetensorsFile.open(file));
            } else {
                missing.add(shard);
            }
        }
        if (!missing.isEmpty()) {
            throw new TomeException("Missing beside " + index + ": " + String.join(", ", missing)
                    + ". The index says that the weights lie in there; the checkpoint is incomplete.");
        }
        Map<String, SafetensorsFile> byTensor = new TreeMap<>();
        weightMap.forEach((tensor, name) -> {
            SafetensorsFile shard = shards.get(name);
            if (shard == null || !shard.names().contains(tensor)) {
                throw new TomeException("The tensor '" + tensor + "' is not in " + index.resolveSibling(name)
                        + ", where " + index.getFileName() + " says it is.");
            }
            byTensor.put(tensor, shard);
        });
        shards.forEach((name, shard) -> shard.names().forEach(tensor -> {
            if (!name.equals(weightMap.get(tensor))) {
                throw new TomeException("The tensor '" + tensor + "' is in " + shard.path() + ", but "
                        + index.getFileName() + " does not say so.");
            }
        }));
        return new ShardedSafetensors(index, byTensor);
    }

    /**
     * Reads an index.
     *
     * @return tensor to file name: plain names of files beside the index
     */
    static Map<String, String> weightMap(Path index) {
        JsonNode map = JsonFile.object(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new TomeException("The index " + index + " has no 'weight_map'.");
        }
        Map<String, String> weightMap = new TreeMap<>();
        map.properties().forEach(property -> {
            String shard = property.getValue().asText();
            if (!shard.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*\\.safetensors")) {
                throw new TomeException("The index " + index + " says that '" + property.getKey() + "' lies in "
                        + property.getValue() + ", which is not the name of a safetensors file.");
            }
            weightMap.put(property.getKey(), shard);
        });
        return weightMap;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(byTensor.keySet());
    }

    @Override
    public long[] shape(String name) {
        return shard(name).shape(name);
    }

    @Override
    public Tensor load(String name) {
        return shard(name).load(name);
    }

    /** As with each of the files. */
    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public String origin(String name) {
        SafetensorsFile shard = byTensor.get(name);
        return (shard == null ? index : shard.path()).toString();
    }

    private SafetensorsFile shard(String name) {
        SafetensorsFile shard = byTensor.get(name);
        if (shard == null) {
            throw new IllegalArgumentException("There is no tensor '" + name + "' in " + index);
        }
        return shard;
    }
}
