package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.OptionException;

/** How much of a run is left where it begins with an image. */
final class Strength {
    private Strength() {}

    /**
     * The number of steps that are taken, cut off as the reference does in double.
     *
     * @throws OptionException if the strength is out of range, or no step is left
     */
    static int steps(int steps, double strength) {
        if (strength == 0) {
            throw new OptionException("{strength} is 0: it must be above 0 and at most 1; of " + steps
                    + " steps the smallest that leaves one is " + smallest(steps));
        }
        int taken = (int) Math.min(within(strength) * steps, steps);
        if (taken < 1) {
            throw new OptionException("{strength} is " + strength + ": of " + steps
                    + " steps none is left; the smallest strength is " + smallest(steps));
        }
        return taken;
    }

    /** Rounded up to as few places as steps need. */
    private static double smallest(int steps) {
        double places = Math.pow(10, Math.ceil(Math.log10(steps)) + 1);
        double least = Math.ceil(places / steps) / places;
        return (int) (least * steps) >= 1 ? least : least + 1 / places;
    }

    /** @throws OptionException if a strength is not in (0, 1] */
    static double within(double strength) {
        if (!(strength > 0 && strength <= 1)) {
            throw new OptionException("{strength} is " + strength + ": it must be above 0 and at most 1");
        }
        return strength;
    }
}
