package io.tome4j.evaluation.quality;

/**
 * What a measure's numbers mean.
 *
 * @param name what it is called in files: {@code ms_ssim}
 * @param title what it is called in headings: {@code MS-SSIM}
 * @param lowerIsBetter whether small numbers are good ones
 */
record Scale(String name, String title, boolean lowerIsBetter) {
    /** How good a number is: more is better. */
    double goodness(double value) {
        return lowerIsBetter ? -value : value;
    }
}
