package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A folder of textual inversions, of which a request gets those whose tokens its prompts have. */
public final class EmbeddingFolder {
    private final NamedFiles files;

    private EmbeddingFolder(NamedFiles files) {
        this.files = files;
    }

    /** @throws OptionException if there is no such folder */
    public static EmbeddingFolder of(Path folder) {
        return new EmbeddingFolder(new NamedFiles(folder, "embedding"));
    }

    /** The names of all files in it, in order. */
    public List<String> names() {
        return List.copyOf(files.all().keySet());
    }

    /**
     * What can be told of a file without a model.
     *
     * @param name the file's, without its end
     * @param token what stands for it in plain prompts; in those of A1111's web UI it is the name
     * @param vectors how many tokens it stands for; 0 if it is no textual inversion that can be read
     * @param widths of the vectors: one, or one for each of a model's text encoders
     */
    public record Listed(String name, String token, int vectors, List<Long> widths) {
        public Listed {
            widths = List.copyOf(widths);
        }
    }

    /** What is in it, by names, in order. */
    public List<Listed> list() {
        return files.all().entrySet().stream()
                .map(named -> listed(named.getKey(), named.getValue()))
                .toList();
    }

    private static Listed listed(String name, Path path) {
        try {
            EmbeddingFile file = EmbeddingFile.open(Embedding.of(path));
            return new Listed(name, file.token(), file.vectors(), file.widths());
        } catch (TomeException e) {
            return new Listed(name, "", 0, List.of());
        }
    }

    /**
     * A request with the textual inversions that its prompts ask for, by token or by name, after its own; and of its own,
     * those without files get one.
     *
     * @throws OptionException if there is none of a name
     * @throws TomeException if a file whose name a prompt has is none, or is another than the one with which an image was made
     */
    public Request resolve(Request request) {
        List<Embedding> all = new ArrayList<>();
        for (Embedding embedding : request.embeddings()) {
            all.add(embedding.file().isPresent() ? embedding : located(embedding));
        }
        for (Path path : files.all().values()) {
            boolean isThere = all.stream()
                    .anyMatch(embedding -> embedding.file().filter(path::equals).isPresent());
            if (!isThere && isAskedFor(Embedding.of(path), request)) {
                all.add(Embedding.of(path));
            }
        }
        return request.embeddings(all);
    }

    /** What cannot be read is another request's matter, unless this one has its name. */
    private static boolean isAskedFor(Embedding embedding, Request request) {
        try {
            EmbeddingFile file = EmbeddingFile.open(embedding);
            return Embeddings.isIn(request, file.token()) || Embeddings.isIn(request, file.name());
        } catch (TomeException e) {
            if (Embeddings.isIn(request, embedding.name())) {
                throw e;
            }
            return false;
        }
    }

    private Embedding located(Embedding embedding) {
        Embedding found = embedding.in(files.find(embedding.name()));
        String hash =
                embedding.hash().isEmpty() ? "" : EmbeddingFile.open(found).hash();
        if (!hash.equals(embedding.hash())) {
            throw new TomeException("The textual inversion '" + embedding.name()
                    + "' in the folder is another than that of" + " the image: its hash is " + hash
                    + ", and the image was made with " + embedding.hash() + ".");
        }
        return found;
    }
}
