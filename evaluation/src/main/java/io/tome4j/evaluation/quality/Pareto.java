package io.tome4j.evaluation.quality;

import java.util.Comparator;
import java.util.List;

/** Which of several things are beaten by none: no other is as good in one way and better in the other. */
final class Pareto {
    private Pareto() {}

    /**
     * @param name what it is
     * @param variant what it has in common with others, to be shown in one colour
     * @param cost less is better
     * @param quality more is better
     * @param low the lower end of the quality's interval; the quality itself if it has none
     * @param high the upper end
     */
    record Point(String name, String variant, double cost, double quality, double low, double high) {
        boolean beats(Point other) {
            return cost <= other.cost && quality >= other.quality && (cost < other.cost || quality > other.quality);
        }
    }

    /** Those that none beats, by rising cost. */
    static List<Point> front(List<Point> points) {
        return points.stream()
                .filter(point -> points.stream().noneMatch(other -> other.beats(point)))
                .sorted(Comparator.comparingDouble(Point::cost))
                .toList();
    }
}
