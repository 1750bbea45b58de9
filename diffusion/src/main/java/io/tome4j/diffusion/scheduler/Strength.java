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
        int taken = (int) Math.min(within(strength) * steps, steps);
        if (taken < 1) {
            throw new OptionException("{strength} is " + strength + ": of " + steps
                    + " steps none is left; take more steps or a greater strength");
        }
        return taken;
    }

    /** @throws OptionException if a strength is not in (0, 1] */
    static double within(double strength) {
        if (!(strength > 0 && strength <= 1)) {
            throw new OptionException("{strength} is " + strength + ": it must be above 0 and at most 1");
        }
        return strength;
    }
}
