package io.tome4j.diffusion.prompt;

import io.tome4j.diffusion.prompt.PromptChunk.Insert;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Cuts a prompt of any length into chunks that the text encoder takes, as Automatic1111's web UI does: 75 tokens each; where one
 * is full and a comma is near its end, what stands behind the comma goes into the next.
 */
public final class PromptChunker {
    /** How many tokens from the end a comma may be for the cut to be there. */
    private static final int COMMA_BACKTRACK = 20;

    /** A prompt of so many chunks has thousands of words; each costs memory and time in every step. */
    private static final int MOST_CHUNKS = 128;

    /**
     * The tokens that have a part in cutting.
     *
     * @param start the marker before each chunk
     * @param end the marker behind it
     * @param padding what follows
     * @param comma of a comma; negative if the vocabulary has none
     * @param chunkLength tokens between the markers
     */
    public record Tokens(long start, long end, long padding, long comma, int chunkLength) {}

    /**
     * A textual inversion, whose vectors take the place of the tokens of its name.
     *
     * @param name to tell it from others
     * @param ids the name's tokens, at least one
     * @param vectors how many places its vectors take
     */
    public record Trigger(String name, List<Long> ids, int vectors) {
        public Trigger {
            ids = List.copyOf(ids);
        }

        private boolean isAt(long[] tokens, int at) {
            if (at + ids.size() > tokens.length) {
                return false;
            }
            for (int i = 0; i < ids.size(); i++) {
                if (tokens[at + i] != ids.get(i)) {
                    return false;
                }
            }
            return true;
        }
    }

    private final Function<String, long[]> tokenizer;
    private final Tokens tokens;
    private final List<Trigger> triggers;

    /**
     * @param tokenizer gives a text's token ids, without markers
     * @param tokens of that tokenizer
     * @param triggers of the textual inversions; where two fit, the one with more tokens counts
     */
    public PromptChunker(Function<String, long[]> tokenizer, Tokens tokens, List<Trigger> triggers) {
        this.tokenizer = tokenizer;
        this.tokens = tokens;
        this.triggers = triggers.stream()
                .sorted(Comparator.comparingInt(
                                (Trigger trigger) -> trigger.ids().size())
                        .reversed())
                .toList();
    }

    /**
     * The chunks of a text.
     *
     * @param pieces as {@link WeightedText#parse} gives them
     * @return at least one
     * @throws OptionException if there are too many, or a textual inversion is longer than a chunk
     */
    public List<PromptChunk> chunks(List<WeightedText> pieces) {
        Cutting cutting = new Cutting();
        for (WeightedText piece : pieces) {
            if (piece.isBreak()) {
                cutting.finish();
            } else {
                cutting.add(tokenizer.apply(piece.text()), (float) piece.weight());
            }
        }
        return cutting.all();
    }

    /**
     * The chunks of a text's variants, as many of each: shorter ones are followed by empty chunks.
     *
     * @param variants at least one
     */
    public List<List<PromptChunk>> ofVariants(List<String> variants, Emphasis emphasis) {
        return equallyMany(variants.stream()
                .map(variant -> chunks(emphasis.pieces(variant)))
                .toList());
    }

    private List<List<PromptChunk>> equallyMany(List<List<PromptChunk>> variants) {
        int most = variants.stream().mapToInt(List::size).max().orElse(0);
        List<List<PromptChunk>> padded = new ArrayList<>();
        for (List<PromptChunk> chunks : variants) {
            List<PromptChunk> all = new ArrayList<>(chunks);
            all.addAll(Collections.nCopies(most - chunks.size(), empty()));
            padded.add(List.copyOf(all));
        }
        return List.copyOf(padded);
    }

    /** A chunk of padding alone, for where one text has fewer chunks than another. */
    public PromptChunk empty() {
        return new Cutting().all().get(0);
    }

    private final class Cutting {
        private final List<PromptChunk> done = new ArrayList<>();
        private List<Long> ids = new ArrayList<>();
        private List<Float> weights = new ArrayList<>();
        private List<Insert> inserts = new ArrayList<>();
        private int lastComma = -1;

        void add(long[] text, float weight) {
            int at = 0;
            while (at < text.length) {
                if (text[at] == tokens.comma()) {
                    lastComma = ids.size();
                } else if (isFull() && lastComma >= 0 && ids.size() - lastComma <= COMMA_BACKTRACK) {
                    cutBehindComma();
                }
                if (isFull()) {
                    finish();
                }
                Optional<Trigger> found = triggerAt(text, at);
                if (found.isPresent()) {
                    insert(found.get(), weight);
                    at += found.get().ids().size();
                } else {
                    ids.add(text[at]);
                    weights.add(weight);
                    at++;
                }
            }
        }

        private boolean isFull() {
            return ids.size() == tokens.chunkLength();
        }

        /** Vectors that were put in move with their places. */
        private void cutBehindComma() {
            int cut = lastComma + 1;
            List<Long> movedIds = new ArrayList<>(ids.subList(cut, ids.size()));
            List<Float> movedWeights = new ArrayList<>(weights.subList(cut, weights.size()));
            List<Insert> movedInserts = new ArrayList<>();
            for (Insert insert : inserts) {
                if (insert.at() > cut) { // counted with the start marker
                    movedInserts.add(new Insert(insert.name(), insert.at() - cut));
                }
            }
            inserts.removeIf(insert -> insert.at() > cut);
            ids = ids.subList(0, cut);
            weights = weights.subList(0, cut);
            finish();
            ids = movedIds;
            weights = movedWeights;
            inserts = movedInserts;
        }

        private Optional<Trigger> triggerAt(long[] text, int at) {
            return triggers.stream().filter(trigger -> trigger.isAt(text, at)).findFirst();
        }

        private void insert(Trigger trigger, float weight) {
            if (trigger.vectors() > tokens.chunkLength()) {
                throw new OptionException("{prompt} names the textual inversion '" + trigger.name() + "', which has "
                        + trigger.vectors() + " vectors: a prompt takes at most " + tokens.chunkLength());
            }
            if (ids.size() + trigger.vectors() > tokens.chunkLength()) {
                finish();
            }
            inserts.add(new Insert(trigger.name(), ids.size() + 1));
            ids.addAll(Collections.nCopies(trigger.vectors(), 0L));
            weights.addAll(Collections.nCopies(trigger.vectors(), weight));
        }

        /** Ends this chunk and begins another. */
        void finish() {
            if (done.size() == MOST_CHUNKS) {
                throw new OptionException("{prompt} has more than " + MOST_CHUNKS * tokens.chunkLength()
                        + " tokens, or too many BREAKs: shorten it");
            }
            int length = tokens.chunkLength() + 2;
            long[] all = new long[length];
            float[] allWeights = new float[length];
            Arrays.fill(all, tokens.end());
            Arrays.fill(allWeights, 1);
            all[0] = tokens.start();
            for (int i = 0; i < ids.size(); i++) {
                all[i + 1] = ids.get(i);
                allWeights[i + 1] = weights.get(i);
            }
            int end = 0;
            while (all[end] != tokens.end()) {
                end++;
            }
            Arrays.fill(all, end + 1, length, tokens.padding());
            done.add(new PromptChunk(all, allWeights, inserts));
            ids = new ArrayList<>();
            weights = new ArrayList<>();
            inserts = new ArrayList<>();
            lastComma = -1;
        }

        List<PromptChunk> all() {
            if (!ids.isEmpty() || done.isEmpty()) {
                finish();
            }
            return List.copyOf(done);
        }
    }
}
