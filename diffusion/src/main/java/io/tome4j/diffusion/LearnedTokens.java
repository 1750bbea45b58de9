package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptChunker;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.text.LearnedVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The textual inversions of a request as one text encoder sees them: their vectors are those of tokens behind the
 * vocabulary's last.
 *
 * @param files the textual inversions
 * @param firstId of the first vector of the first
 * @param vectors of all, in order, in the scope that was open
 */
record LearnedTokens(List<EmbeddingFile> files, long firstId, List<Tensor> vectors) {
    static final LearnedTokens NONE = new LearnedTokens(List.of(), Long.MAX_VALUE, List.of());

    /**
     * @param part as {@link EmbeddingFile#load} has it
     * @param width of the encoder's embeddings
     * @param vocabulary how many tokens have embeddings already
     */
    static LearnedTokens of(
            List<EmbeddingFile> files, String part, long width, ClipTokenizer tokenizer, long vocabulary) {
        if (files.isEmpty()) {
            return NONE;
        }
        List<Tensor> vectors = new ArrayList<>();
        files.forEach(file -> vectors.addAll(file.load(part, width)));
        return new LearnedTokens(List.copyOf(files), Math.max(tokenizer.nextId(), vocabulary), List.copyOf(vectors));
    }

    boolean isEmpty() {
        return files.isEmpty();
    }

    /** As diffusers' pipelines have them: as tokens like all others, at which a text may be taken to end. */
    LearnedVectors ofModel() {
        return new LearnedVectors(firstId, vectors, true);
    }

    /** As the web UI has them: put in the place of tokens. */
    LearnedVectors inPlace() {
        return new LearnedVectors(firstId, vectors, false);
    }

    /** Their tokens, as diffusers makes them: that of one with three vectors is {@code <t> <t>_1 <t>_2}. */
    List<String> tokens() {
        List<String> tokens = new ArrayList<>();
        for (EmbeddingFile file : files) {
            for (int i = 0; i < file.vectors(); i++) {
                tokens.add(i == 0 ? file.token() : file.token() + "_" + i);
            }
        }
        return tokens;
    }

    /**
     * A plain prompt in which tokens of several vectors stand for all of them, as diffusers' pipelines write it.
     *
     * @param tokenizer the one with {@link #tokens}
     */
    String written(String prompt, ClipTokenizer tokenizer) {
        String text = prompt;
        long id = tokenizer.nextId() - vectors.size();
        long[] ids = tokenizer.tokens(prompt);
        for (EmbeddingFile file : files) {
            long first = id;
            id += file.vectors();
            if (file.vectors() > 1 && Arrays.stream(ids).anyMatch(found -> found == first)) {
                StringBuilder all = new StringBuilder(file.token());
                for (int i = 1; i < file.vectors(); i++) {
                    all.append(' ').append(file.token()).append('_').append(i);
                }
                text = text.replace(file.token(), all);
            }
        }
        return text;
    }

    /** Ids of the tokenizer with {@link #tokens} as the model's: a vocabulary may have embeddings without tokens. */
    long[] ofModel(long[] ids, ClipTokenizer tokenizer) {
        long first = tokenizer.nextId() - vectors.size();
        return Arrays.stream(ids)
                .map(id -> id >= first ? firstId + id - first : id)
                .toArray();
    }

    /** Where A1111's web UI puts their vectors: at the tokens of their names. */
    List<PromptChunker.Trigger> triggers(ClipTokenizer tokenizer) {
        return files.stream()
                .map(file -> new PromptChunker.Trigger(
                        file.name(),
                        Arrays.stream(tokenizer.tokens(file.name())).boxed().toList(),
                        file.vectors()))
                .filter(trigger -> !trigger.ids().isEmpty())
                .toList();
    }

    /** The ids of a chunk, with those of vectors where they were put in. */
    long[] ids(PromptChunk chunk) {
        long[] ids = chunk.ids();
        for (PromptChunk.Insert insert : chunk.inserts()) {
            long id = firstId;
            for (EmbeddingFile file : files) {
                if (file.name().equals(insert.name())) {
                    for (int i = 0; i < file.vectors(); i++) {
                        ids[insert.at() + i] = id + i;
                    }
                    break;
                }
                id += file.vectors();
            }
        }
        return ids;
    }
}
