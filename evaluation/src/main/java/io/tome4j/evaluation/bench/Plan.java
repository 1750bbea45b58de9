package io.tome4j.evaluation.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * In which order cells are measured. Cells of one size and batch make a group, whose variants are timed in turns so that
 * what disturbs the machine disturbs all alike. Groups with the smallest batch come first, small images before large
 * ones: what merging brings depends on the size much more than on the batch.
 */
final class Plan {
    /** If time is short: what says most about merging, then what it is compared with in the reference. */
    private static final List<Variant> MOST_INFORMATIVE_FIRST = List.of(
            Variant.EFFICIENT,
            Variant.TOME_EFFICIENT,
            Variant.EFFICIENT_REUSE,
            Variant.TOME_EFFICIENT_REUSE,
            Variant.VANILLA,
            Variant.TOME);

    /**
     * @param resolution of all its cells
     * @param batch of all its cells
     * @param cells the most informative first
     */
    record Group(int resolution, int batch, List<Cell> cells) {}

    private Plan() {}

    static List<Group> of(BenchSettings settings) {
        List<Group> groups = new ArrayList<>();
        for (int batch : settings.batches().stream().sorted().toList()) {
            for (int resolution : settings.resolutions().stream().sorted().toList()) {
                groups.add(new Group(resolution, batch, cells(settings, resolution, batch)));
            }
        }
        return groups;
    }

    private static List<Cell> cells(BenchSettings settings, int resolution, int batch) {
        List<Cell> cells = new ArrayList<>();
        for (Variant variant : settings.variants().stream()
                .sorted(Comparator.comparing(MOST_INFORMATIVE_FIRST::indexOf))
                .toList()) {
            for (double ratio : variant.merges() ? settings.ratios() : List.of(0.0)) {
                cells.add(new Cell(resolution, batch, variant, ratio));
            }
        }
        return cells;
    }
}
