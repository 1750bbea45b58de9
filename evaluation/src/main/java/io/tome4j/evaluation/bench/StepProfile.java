package io.tome4j.evaluation.bench;

import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Profile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Where a step's time goes.
 *
 * @param cell which step
 * @param seconds the whole step, while its parts were measured
 * @param parts what is known of its parts; what is left of the step is in none of them
 */
public record StepProfile(Cell cell, double seconds, Map<Profile.Part, PartCost> parts) {
    private static final double NANOS = 1e9;

    /**
     * @param calls in a step
     * @param seconds of a step
     * @param flops floating-point operations of a step; 0 where they are not counted
     */
    public record PartCost(double calls, double seconds, double flops) {}

    public StepProfile {
        parts = Map.copyOf(parts);
    }

    /** Profiles a cell: of the repetitions, the one of median length. */
    static StepProfile of(Denoising denoising, BenchSettings settings, Cell cell) {
        denoising.run(cell, cell.variant().reuseEvery()); // to warm up
        List<StepProfile> profiles = new ArrayList<>();
        for (int i = 0; i < settings.repeats(); i++) {
            profiles.add(once(denoising, settings, cell));
        }
        profiles.sort(Comparator.comparingDouble(StepProfile::seconds));
        return profiles.get(profiles.size() / 2);
    }

    private static StepProfile once(Denoising denoising, BenchSettings settings, Cell cell) {
        DeviceMemory device = DeviceMemory.of(settings.placement());
        int steps = cell.variant().wholeIntervals(settings.steps());
        try (Profile profile = Profile.start(settings.placement())) {
            long start = System.nanoTime();
            denoising.run(cell, steps);
            device.synchronize();
            double seconds = (System.nanoTime() - start) / NANOS / steps;
            Map<Profile.Part, PartCost> parts = new EnumMap<>(Profile.Part.class);
            profile.costs()
                    .forEach((part, cost) -> parts.put(
                            part,
                            new PartCost(
                                    (double) cost.calls() / steps,
                                    cost.nanoseconds() / NANOS / steps,
                                    (double) cost.flops() / steps)));
            return new StepProfile(cell, seconds, parts);
        }
    }

    /** Operations of all parts. */
    public double flops() {
        return parts.values().stream().mapToDouble(PartCost::flops).sum();
    }

    /** Seconds in none of the parts: element-wise operations, copies, the scheduler. */
    public double rest() {
        return Math.max(
                0,
                seconds - parts.values().stream().mapToDouble(PartCost::seconds).sum());
    }
}
