/** Benchmarks, image-quality measures and reports; here what they share. */
@NullMarked
package io.tome4j.evaluation;

import org.jspecify.annotations.NullMarked;
