/**
 * Kernels written by hand in C, for what no library computes well. They take addresses and know no tensors. Where the
 * machine cannot run one, {@link io.tome4j.kernels.Kernels} says so and the caller computes the same some other way.
 */
@NullMarked
package io.tome4j.kernels;

import org.jspecify.annotations.NullMarked;
