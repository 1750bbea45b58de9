/**
 * Images as 8-bit pixels: reading files, resampling and blurring as PIL does it, to the bit, because what a run begins
 * with must be what it begins with there.
 */
@NullMarked
package io.tome4j.diffusion.pixels;

import org.jspecify.annotations.NullMarked;
