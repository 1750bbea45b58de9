package io.tome4j.cli.options;

import io.tome4j.diffusion.Embedding;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.diffusion.Lora;
import io.tome4j.diffusion.LoraFolder;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** What is added to the model: LoRAs, and textual inversions. */
final class AdapterOptions {
    private static final Pattern TAG = Pattern.compile("<(?:lora|lyco):[^<>]+>");

    @Option(
            names = "--lora",
            paramLabel = "FILE[:WEIGHT[:TEXT-WEIGHT]]",
            description = "Add a LoRA, LoHa, LoKr, DoRA or the like to the model; the weights say how strongly to the"
                    + " denoiser and to the text encoders (default: 1). May be given several times.")
    private List<String> loras = new ArrayList<>();

    @Option(
            names = "--lora-dir",
            paramLabel = "FOLDER",
            description = "Where the LoRAs lie that a prompt names by <lora:name:0.8>.")
    private Optional<Path> folder = Optional.empty();

    @Option(
            names = "--embedding",
            paramLabel = "FILE[:TOKEN]",
            description =
                    "A textual inversion that prompts name by its token (default: the name in the file, or the file's"
                            + " name). May be given several times.")
    private List<String> embeddings = new ArrayList<>();

    @Option(
            names = "--embedding-dir",
            paramLabel = "FOLDER",
            description = "Where textual inversions lie; prompts name them by their tokens, or by the files' names.")
    private Optional<Path> embeddingFolder = Optional.empty();

    /**
     * A request with what was given, and what its prompts name.
     *
     * @throws OptionException if a file or a name is unknown, or a weight is none
     */
    Request applyTo(Request request) {
        Request with = withEmbeddings(withLoras(request));
        return embeddingFolder.isPresent()
                ? EmbeddingFolder.of(embeddingFolder.get()).resolve(with)
                : with;
    }

    private Request withEmbeddings(Request request) {
        List<Embedding> given = embeddings.stream().map(Embedding::parse).toList();
        given.forEach(Embedding::requireFile);
        return given.isEmpty() ? request : request.embeddings(given);
    }

    private Request withLoras(Request request) {
        List<Lora> given = loras.stream().map(AdapterOptions::existing).toList();
        Request with = given.isEmpty() ? request : request.loras(given);
        if (folder.isPresent()) {
            return LoraFolder.of(folder.get()).resolve(with);
        }
        Stream<String> prompts = Stream.concat(request.prompts().stream(), Stream.of(request.get(Request.PROMPT_2)));
        if (prompts.anyMatch(prompt -> TAG.matcher(prompt).find())) {
            throw new OptionException(
                    "{prompt} names a LoRA, and where LoRAs lie is not said: give {lora_dir} as well");
        }
        return with;
    }

    private static Lora existing(String text) {
        Lora lora = Lora.parse(text);
        lora.requireFile();
        return lora;
    }
}
