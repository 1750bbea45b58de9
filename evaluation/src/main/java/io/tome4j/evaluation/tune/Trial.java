package io.tome4j.evaluation.tune;

import io.tome4j.evaluation.run.Savings;

/**
 * What was measured of one setting.
 *
 * @param savings the setting
 * @param seconds an image took, without loading the model: the median over the prompts
 * @param ssim structural similarity to the images without savings, the mean over the prompts; 1 for those themselves
 * @param lowestSsim that of the prompt with the lowest
 */
public record Trial(Savings savings, double seconds, double ssim, double lowestSsim) {
    double ratio() {
        return savings.merging().ratio();
    }

    /** The same measurement of another setting, one that does the same. */
    Trial of(Savings other) {
        return new Trial(other, seconds, ssim, lowestSsim);
    }

    /** The same with a multiple of its time. */
    Trial times(double factor) {
        return new Trial(savings, seconds * factor, ssim, lowestSsim);
    }
}
