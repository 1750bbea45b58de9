package io.tome4j.evaluation.tune;

import io.tome4j.merging.ToMeOptions;

/**
 * What was measured of one setting.
 *
 * @param options the setting
 * @param seconds an image took, without loading the model: the median over the prompts
 * @param ssim structural similarity to the unmerged images, the mean over the prompts; 1 for no merging
 * @param lowestSsim that of the prompt with the lowest
 */
public record Trial(ToMeOptions options, double seconds, double ssim, double lowestSsim) {
    double ratio() {
        return options.ratio();
    }
}
