package io.tome4j.cli.session;

import io.tome4j.emoji.Motifs.Motif;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Which motifs of the embedded model a prompt is like: by the words they share. */
final class NearestMotifs {
    /** Of the words of both, so many must be shared for a motif to count as what was asked for. */
    private static final double LIKE_ENOUGH = 0.6;

    private static final int MOST_WORDS = 60; // no more are looked at: it is no motif
    private static final int MOST_SHOWN = 3;
    private static final int SHORTEST_MISSPELT = 4;
    private static final Pattern BACKGROUND = Pattern.compile("\\bon an? [\\w -]{1,40} background\\b");
    private static final Set<String> LITTLE_WORDS = Set.of("a", "an", "the", "of", "with", "in", "on", "and");

    private final List<String> words;

    /** @param shared the share of the words of both that are the same */
    private record Likeness(Motif motif, double shared) {}

    NearestMotifs(String prompt) {
        this.words = words(BACKGROUND.matcher(prompt.toLowerCase(Locale.ROOT)).replaceAll(" "));
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.split("[^\\p{L}\\p{N}']+", MOST_WORDS + 1))
                .filter(word -> !word.isEmpty() && !LITTLE_WORDS.contains(word))
                .limit(MOST_WORDS)
                .toList();
    }

    /** Whether the prompt asks for one of them, or nearly so. */
    boolean isAmong(List<Motif> motifs) {
        return motifs.stream().anyMatch(motif -> shared(motif) >= LIKE_ENOUGH);
    }

    /** The prompts of those that are most like it, at most three; empty where no word is the same. */
    List<String> of(List<Motif> motifs) {
        return motifs.stream()
                .map(motif -> new Likeness(motif, shared(motif)))
                .filter(likeness -> likeness.shared() > 0)
                .sorted(Comparator.comparingDouble(Likeness::shared).reversed())
                .limit(MOST_SHOWN)
                .map(likeness -> likeness.motif().prompt())
                .toList();
    }

    private double shared(Motif motif) {
        List<String> its = words(motif.name().toLowerCase(Locale.ROOT));
        long same = its.stream()
                .filter(word -> words.stream().anyMatch(other -> isSame(word, other)))
                .count();
        return 2.0 * same / Math.max(1, its.size() + words.size());
    }

    /** Plurals and one wrong letter are passed over. */
    private static boolean isSame(String a, String b) {
        return a.equals(b)
                || a.equals(b + "s")
                || b.equals(a + "s")
                || (Math.min(a.length(), b.length()) >= SHORTEST_MISSPELT && isOneEditApart(a, b));
    }

    private static boolean isOneEditApart(String a, String b) {
        int begin = 0;
        int shorter = Math.min(a.length(), b.length());
        while (begin < shorter && a.charAt(begin) == b.charAt(begin)) {
            begin++;
        }
        int end = 0;
        while (end < shorter - begin && a.charAt(a.length() - 1 - end) == b.charAt(b.length() - 1 - end)) {
            end++;
        }
        return Math.max(a.length(), b.length()) - begin - end <= 1;
    }
}
