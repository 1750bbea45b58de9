package io.tome4j.diffusion;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Names that somebody may have meant who wrote another. */
final class NearNames {
    private static final int MOST = 5;

    private NearNames() {}

    /** The nearest first; of names with folders before them, the last part counts. */
    static List<String> of(String wrong, Collection<String> names) {
        String said = wrong.toLowerCase(Locale.ROOT);
        return names.stream()
                .filter(name -> distance(said, last(name)) <= Math.max(2, said.length() / 3)
                        || last(name).contains(said)
                        || said.contains(last(name)))
                .sorted(Comparator.comparingInt((String name) -> distance(said, last(name)))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(MOST)
                .toList();
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    }

    /** Letters to change, add or leave out (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
