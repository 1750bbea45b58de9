package io.tome4j.diffusion;

import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A folder of LoRAs, by whose names prompts ask for them: {@code <lora:name:0.8>}, as in A1111's web UI. A name is a file's
 * without {@code .safetensors}, or, in folders below, that with the folders before it as well.
 */
public final class LoraFolder {
    private static final String SUFFIX = ".safetensors";

    private final Path folder;

    private LoraFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * @throws OptionException if there is no such folder
     */
    public static LoraFolder of(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new OptionException(
                    "{lora_dir} is " + OptionException.literal(folder.toString()) + ": there is no such folder");
        }
        return new LoraFolder(folder);
    }

    /** All names, in order. It is looked up anew each time: files come and go. */
    public List<String> names() {
        return List.copyOf(files().keySet());
    }

    /** By the longest name of each. */
    private Map<String, Path> files() {
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            Map<String, Path> byName = new TreeMap<>();
            files.filter(file -> file.toString().endsWith(SUFFIX) && Files.isRegularFile(file))
                    .forEach(file -> {
                        String name = folder.relativize(file).toString().replace('\\', '/');
                        byName.put(name.substring(0, name.length() - SUFFIX.length()), file);
                    });
            return byName;
        } catch (IOException | UncheckedIOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * A request whose prompts have no tags any more: what these name comes after its own LoRAs; and of its own, those
     * without files get one.
     *
     * @throws OptionException if a name is that of no file here (it says which are alike), or of several; if a tag has a
     *     weight that is none; or if several prompts, which one model is to draw together, name different LoRAs
     * @throws TomeException if a file is another than the one with which an image was made
     */
    public Request resolve(Request request) {
        Map<String, Path> files = files();
        List<LoraTags> tags = request.prompts().stream().map(LoraTags::in).toList();
        List<Lora> named = tags.get(0).loras();
        for (LoraTags other : tags) {
            if (!other.loras().equals(named)) {
                throw new OptionException(
                        "{prompt} names other LoRAs than another of the same request: " + other.loras() + " and "
                                + named + ". One model draws them together, so make a request of each");
            }
        }
        List<Lora> all = new ArrayList<>(request.loras());
        all.addAll(named);
        return request.prompts(tags.stream().map(LoraTags::prompt).toList())
                .loras(all.stream().map(lora -> located(lora, files)).toList());
    }

    private Lora located(Lora lora, Map<String, Path> files) {
        if (lora.file().isPresent()) {
            return lora;
        }
        Path file = find(lora.name(), files);
        if (!lora.hash().isEmpty()) {
            String hash = LoraFile.open(file).hash();
            if (!hash.equals(lora.hash())) {
                throw new TomeException("The LoRA " + file + " is another than that of the image: its hash is " + hash
                        + ", and the image was made with " + lora.hash() + ".");
            }
        }
        return lora.in(file);
    }

    private Path find(String name, Map<String, Path> files) {
        Path exact = files.get(name);
        if (exact != null) {
            return exact;
        }
        List<String> below =
                files.keySet().stream().filter(key -> key.endsWith("/" + name)).toList();
        if (below.size() == 1) {
            return files.getOrDefault(below.get(0), folder);
        }
        String said = "'" + OptionException.literal(name) + "'";
        if (below.size() > 1) {
            throw new OptionException(
                    "{lora} is " + said + ", and there are several: " + String.join(", ", below) + ". Say which");
        }
        List<String> near = NearNames.of(name, files.keySet());
        throw new OptionException("{lora} is " + said + ", and there is none of this name in "
                + OptionException.literal(folder.toString())
                + (near.isEmpty() ? "" : "; alike are " + OptionException.literal(String.join(", ", near))));
    }
}
