package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.run.Times;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * An image, measured.
 *
 * @param shot what it shows, and how it was made
 * @param times what it took
 * @param measures what each measure says of it, by the measure's name; those against the unmerged image are missing for
 *     the unmerged one itself
 * @param rank for a motif, how many others the image is nearer to: 0 is best
 */
record Row(Shot shot, Times times, Map<String, Double> measures, OptionalInt rank) {
    public Row {
        measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /** Seconds a step, as {@link Times#perStep} says. */
    double perStep() {
        return times.perStep(shot.setting().savings().applyTo(shot.request()));
    }

    /** What a measure says; empty if it says nothing of this image. */
    OptionalDouble measure(String name) {
        return measures.containsKey(name) ? OptionalDouble.of(measures.get(name)) : OptionalDouble.empty();
    }
}
