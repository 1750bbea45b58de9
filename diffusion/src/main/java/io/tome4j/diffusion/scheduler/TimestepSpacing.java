package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;

/**
 * Which of the training timesteps a run visits (arXiv 2305.08891, table 2), from the noisiest down.
 *
 * @param way the kind of spacing
 * @param offset what {@link Way#LEADING} adds to each timestep
 * @param given the caller's own timesteps in place of spaced ones; empty for none
 */
record TimestepSpacing(Way way, int offset, GivenTimesteps given) {
    /** Where {@link SchedulerSettings} put the caller's own; no checkpoint's config may have it. */
    static final String TIMESTEPS = "timesteps";

    enum Way {
        /** The first timestep of each of equal parts. */
        LEADING,
        /** The last timestep of each of equal parts. */
        TRAILING,
        /** Evenly from the first timestep to the last. */
        LINSPACE
    }

    /** Reads {@code timestep_spacing}, {@code steps_offset} and the caller's timesteps. */
    static TimestepSpacing read(Config config, String absent) {
        Way way =
                switch (config.text("timestep_spacing", absent)) {
                    case "leading" -> Way.LEADING;
                    case "trailing" -> Way.TRAILING;
                    case "linspace" -> Way.LINSPACE;
                    default -> throw config.unsupported("timestep_spacing", "leading, trailing, linspace");
                };
        return new TimestepSpacing(way, config.integer("steps_offset", 0), GivenTimesteps.read(config));
    }

    /** Timesteps that are positions in the noise schedule. */
    int[] positions(int trained, int steps) {
        double[] timesteps = evenly(trained, steps);
        int[] positions = new int[steps];
        for (int i = 0; i < steps; i++) {
            positions[i] = (int) Math.rint(timesteps[i]);
            requirePosition(positions[i], trained, steps);
        }
        return positions;
    }

    /** Timesteps that may lie between two positions of the noise schedule, in fp32. */
    double[] continuous(int trained, int steps) {
        double[] timesteps = evenly(trained, steps);
        for (int i = 0; i < steps; i++) {
            timesteps[i] = (float) timesteps[i];
        }
        return timesteps;
    }

    /**
     * Timesteps of {@code steps} intervals, of which the last end (the image itself) is left out.
     *
     * @param last the number of timesteps in use, from 0
     */
    int[] intervals(int trained, int last, int steps) {
        if (given.isPresent()) {
            return given.positions(trained, steps);
        }
        double[] timesteps =
                switch (way) {
                    case LINSPACE -> Arrays.copyOf(evenlyFrom(last - 1, steps + 1), steps);
                    case LEADING -> leading(last / (steps + 1), steps + 1);
                    case TRAILING -> trailing(last, trained, steps);
                };
        int[] positions = new int[Math.min(steps, timesteps.length)];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = (int) Math.rint(timesteps[i]);
            requirePosition(positions[i], trained, steps);
            if (i > 0 && positions[i] >= positions[i - 1]) {
                throw new TomeException("No run of " + steps + " steps can be made with timestep_spacing '" + name()
                        + "': of the " + last + " timesteps in use some would come twice. Take fewer steps.");
            }
        }
        return positions;
    }

    /** The same in double, as most schedulers round them and {@link DpmSdeScheduler} does not. */
    double[] evenly(int trained, int steps) {
        if (given.isPresent()) {
            return Run.asDoubles(given.positions(trained, steps));
        }
        return switch (way) {
            case LINSPACE -> evenlyFrom(trained - 1, steps);
            case LEADING -> leading(trained / steps, steps);
            case TRAILING -> trailing(trained, trained, steps);
        };
    }

    private static double[] evenlyFrom(int highest, int count) {
        double[] timesteps = new double[count];
        double distance = count > 1 ? highest / (double) (count - 1) : 0;
        for (int i = 0; i < count; i++) {
            timesteps[count - 1 - i] = i * distance;
        }
        if (count > 1) {
            timesteps[0] = highest;
        }
        return timesteps;
    }

    private double[] leading(int distance, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[count - 1 - i] = i * (double) distance + offset;
        }
        return timesteps;
    }

    private static double[] trailing(int last, int trained, int steps) {
        double distance = trained / (double) steps;
        // For some step counts rounding makes the reference visit one timestep more, numbered -1: we leave it out.
        int count = Math.min(steps, (int) Math.ceil(last / distance));
        double downwards = (last - distance) - last;
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = Math.rint(last + i * downwards) - 1;
        }
        return timesteps;
    }

    private void requirePosition(int timestep, int trained, int steps) {
        if (timestep < 0 || timestep >= trained) {
            throw new TomeException("No run of " + steps + " steps can be made with timestep_spacing '" + name()
                    + "' and steps_offset " + offset + ": it would visit timestep " + timestep
                    + ", and the model knows 0 to " + (trained - 1) + ". Take fewer steps.");
        }
    }

    private String name() {
        return way.name().toLowerCase(java.util.Locale.ROOT);
    }
}
