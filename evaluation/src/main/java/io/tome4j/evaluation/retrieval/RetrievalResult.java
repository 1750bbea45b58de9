package io.tome4j.evaluation.retrieval;

import io.tome4j.evaluation.Quantiles;
import io.tome4j.evaluation.Share;
import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import io.tome4j.evaluation.run.Times;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What came of a retrieval.
 *
 * @param width of the images in pixels
 * @param height of the images in pixels
 * @param rows one an image, at least one
 */
public record RetrievalResult(int width, int height, List<Row> rows) {
    public RetrievalResult {
        rows = List.copyOf(rows);
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("A result of no images says nothing");
        }
    }

    /** The share of images whose motif is among the nearest {@code count}. */
    public Share top(int count) {
        return Share.of((int) rows.stream().filter(row -> row.rank() < count).count(), rows.size());
    }

    /** The median of the ranks, from 0; of an even number of them the mean of the two in the middle. */
    public double medianRank() {
        return Quantiles.median(rows.stream().mapToDouble(Row::rank).toArray());
    }

    /** The mean difference from the right motifs' thumbnails, and where the true one lies. */
    public Statistics thumbnailDifference() {
        return Statistics.of(rows.stream().mapToDouble(Row::thumbnailDifference).toArray());
    }

    /** The mean difference from the right motifs' drawings; empty without drawings. */
    public Optional<Statistics> drawingDifference() {
        double[] differences = rows.stream()
                .map(Row::drawingDifference)
                .flatMapToDouble(OptionalDouble::stream)
                .toArray();
        return differences.length == 0 ? Optional.empty() : Optional.of(Statistics.of(differences));
    }

    /** How many images were made in this run, and not found in the store. */
    public int made() {
        return (int) rows.stream().filter(row -> row.making().isPresent()).count();
    }

    /** The median of what the images made in this run took; empty if there are none. */
    public OptionalDouble secondsPerImage() {
        double[] seconds = rows.stream()
                .map(Row::making)
                .flatMap(Optional::stream)
                .mapToDouble(Times::seconds)
                .toArray();
        return seconds.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(Quantiles.median(seconds));
    }
}
