package io.tome4j.diffusion;

import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.diffusion.prompt.PromptSyntax;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The textual inversions of a request, those that its LoRAs bring included. */
final class Embeddings {
    private Embeddings() {}

    /**
     * Opens their files.
     *
     * @throws io.tome4j.tensor.TomeException if one cannot be read, or is none
     */
    static List<EmbeddingFile> of(Request request) {
        List<EmbeddingFile> files = new ArrayList<>();
        request.embeddings().forEach(embedding -> files.add(EmbeddingFile.open(embedding)));
        for (Lora lora : request.loras()) {
            lora.file().ifPresent(path -> files.addAll(EmbeddingFile.bundled(LoraFile.open(path))));
        }
        return files;
    }

    /** A request's own, with the hashes of their files. */
    static List<Embedding> hashed(Request request) {
        return request.embeddings().stream()
                .map(embedding -> embedding.hash(EmbeddingFile.open(embedding).hash()))
                .toList();
    }

    /** Which of a request's own no prompt has. */
    static List<String> warnings(Request request) {
        List<String> warnings = new ArrayList<>();
        for (Embedding embedding : request.embeddings()) {
            EmbeddingFile file = EmbeddingFile.open(embedding);
            String token = request.promptSyntax() == PromptSyntax.A1111 ? file.name() : file.token();
            if (!isIn(request, token)) {
                warnings.add("The textual inversion '" + embedding.name() + "' has no effect: no prompt has its token, "
                        + token);
            }
        }
        return warnings;
    }

    /** Whether a prompt has a text, in whatever case: the negative one and those of a second text encoder included. */
    static boolean isIn(Request request, String token) {
        String wanted = token.toLowerCase(Locale.ROOT);
        List<String> all = new ArrayList<>(request.prompts());
        all.add(request.negativePrompt());
        all.add(request.get(Request.PROMPT_2));
        all.add(request.get(Request.NEGATIVE_PROMPT_2));
        return all.stream().anyMatch(prompt -> prompt.toLowerCase(Locale.ROOT).contains(wanted));
    }
}
