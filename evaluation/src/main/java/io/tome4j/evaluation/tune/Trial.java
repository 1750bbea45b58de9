package io.tome4j.evaluation.tune;

import io.tome4j.merging.ToMeOptions;
import java.util.Optional;

/**
 * What was measured of one setting.
 *
 * @param options the setting; empty for no merging
 * @param seconds an image took, without loading the model: the median over the prompts
 * @param ssim structural similarity to the unmerged images, the mean over the prompts; 1 for no merging
 * @param lowestSsim that of the prompt with the lowest
 */
public record Trial(Optional<ToMeOptions> options, double seconds, double ssim, double lowestSsim) {
    double ratio() {
        return options.map(ToMeOptions::ratio).orElse(0.0);
    }
}
