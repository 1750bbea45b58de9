package io.tome4j.evaluation.tune;

import io.tome4j.tensor.OptionException;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is to be reached, at least one of two. With a time, the setting sought is the one most like no merging among those
 * that are in time; without, the fastest among those that are like enough.
 *
 * @param seconds how long an image may take
 * @param ssim the least mean structural similarity to the unmerged images, in (0, 1)
 */
public record TuneGoal(OptionalDouble seconds, OptionalDouble ssim) {
    public TuneGoal {
        if (seconds.isEmpty() && ssim.isEmpty()) {
            throw new IllegalArgumentException("A goal is a time, a similarity or both");
        }
        if (seconds.isPresent() && !(seconds.getAsDouble() > 0 && Double.isFinite(seconds.getAsDouble()))) {
            throw new OptionException("{target_time} is " + seconds.getAsDouble() + " s: it must be above 0");
        }
        if (ssim.isPresent() && !(ssim.getAsDouble() > 0 && ssim.getAsDouble() < 1)) {
            throw new OptionException("{min_ssim} is " + ssim.getAsDouble()
                    + ": it must be above 0 and below 1, which only the unmerged image has; 0.9 is a good start");
        }
    }

    boolean inTime(Trial trial) {
        return seconds.isEmpty() || trial.seconds() <= seconds.getAsDouble();
    }

    boolean likeEnough(Trial trial) {
        return ssim.isEmpty() || trial.ssim() >= ssim.getAsDouble();
    }

    /** Whether a setting is all that was asked for. */
    public boolean isReachedBy(Trial trial) {
        return inTime(trial) && likeEnough(trial);
    }

    /** The best of those that reach the goal. */
    public Optional<Trial> best(List<Trial> trials) {
        Comparator<Trial> likeness = Comparator.comparingDouble(Trial::ssim);
        Comparator<Trial> speed = Comparator.comparingDouble(trial -> -trial.seconds());
        return trials.stream()
                .filter(this::isReachedBy)
                .max(seconds.isPresent() ? likeness.thenComparing(speed) : speed.thenComparing(likeness));
    }

    /**
     * What came nearest, of settings none of which reaches the goal: where likeness is asked for, the fastest that is like
     * enough (no merging always is), else the fastest.
     */
    Trial nearest(List<Trial> trials) {
        return trials.stream()
                .filter(this::likeEnough)
                .min(Comparator.comparingDouble(Trial::seconds))
                .orElseThrow(() -> new IllegalArgumentException("No trials"));
    }

    /** {@code at most 10 s an image and a mean SSIM of at least 0.9}. */
    public String describe() {
        String time = seconds.isEmpty() ? "" : "at most " + plain(seconds.getAsDouble()) + " s an image";
        String likeness = ssim.isEmpty() ? "" : "a mean SSIM of at least " + plain(ssim.getAsDouble());
        return time + (time.isEmpty() || likeness.isEmpty() ? "" : " and ") + likeness;
    }

    private static String plain(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
