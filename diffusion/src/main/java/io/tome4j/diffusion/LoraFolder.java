package io.tome4j.diffusion;

import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder of LoRAs, by whose names prompts ask for them: {@code <lora:name:0.8>}, as in A1111's web UI. A name is a file's
 * without {@code .safetensors}, or, in folders below, that with the folders before it as well.
 */
public final class LoraFolder {
    /** Each is added to all of the model's layers before an image is begun. */
    private static final int MOST = 100;

    private final NamedFiles files;

    private LoraFolder(NamedFiles files) {
        this.files = files;
    }

    /** @throws OptionException if there is no such folder */
    public static LoraFolder of(Path folder) {
        return new LoraFolder(new NamedFiles(folder, "lora"));
    }

    /** All names, in order. It is looked up anew each time: files come and go. */
    public List<String> names() {
        return List.copyOf(files.all().keySet());
    }

    /**
     * A request whose prompts, SDXL's second one included, have no tags any more: what these name comes after its own
     * LoRAs, what the second prompt names as the first does only once; and of its own, those without files get one.
     *
     * @throws OptionException if a name is that of no file here (it says which are alike), or of several; if a tag has a
     *     weight that is none; or if several prompts, which one model is to draw together, name different LoRAs, or one more than 100
     * @throws TomeException if a file is another than the one with which an image was made
     */
    public Request resolve(Request request) {
        List<LoraTags> tags = request.prompts().stream().map(LoraTags::in).toList();
        List<Lora> named = tags.get(0).loras();
        for (LoraTags other : tags) {
            if (!other.loras().equals(named)) {
                throw new OptionException(
                        "{prompt} names other LoRAs than another of the same request: " + other.loras() + " and "
                                + named + ". One model draws them together, so make a request of each");
            }
        }
        LoraTags second = LoraTags.in(request.get(Request.PROMPT_2));
        List<Lora> all = new ArrayList<>(request.loras());
        all.addAll(named);
        // The second prompt is about the same image, often the first one changed a little.
        second.loras().stream().filter(lora -> !named.contains(lora)).forEach(all::add);
        if (all.size() > MOST) { // before any is looked for
            throw new OptionException("{prompt} names " + all.size() + " LoRAs: it may name at most " + MOST);
        }
        Request cut = second.loras().isEmpty() ? request : request.with(Request.PROMPT_2, second.prompt());
        return cut.prompts(tags.stream().map(LoraTags::prompt).toList())
                .loras(all.stream().map(this::located).toList());
    }

    private Lora located(Lora lora) {
        if (lora.file().isPresent()) {
            return lora;
        }
        Path file = files.find(lora.name());
        if (!lora.hash().isEmpty()) {
            String hash = LoraFile.open(file).hash();
            if (!hash.equals(lora.hash())) {
                throw new TomeException("The LoRA " + file + " is another than that of the image: its hash is " + hash
                        + ", and the image was made with " + lora.hash() + ".");
            }
        }
        return lora.in(file);
    }
}
