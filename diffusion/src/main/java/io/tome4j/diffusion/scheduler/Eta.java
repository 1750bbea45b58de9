package io.tome4j.diffusion.scheduler;

import io.tome4j.tensor.OptionException;

/** The share of fresh noise in the steps of schedulers that can go without. */
final class Eta {
    private Eta() {}

    /** @throws OptionException if it is not in [0, 1] */
    static double within(double eta) {
        if (!(eta >= 0 && eta <= 1)) {
            throw new OptionException("{eta} is " + eta + ": it must be between 0 and 1");
        }
        return eta;
    }
}
