/** Benchmarks, image-quality measures and reports. */
@NullMarked
package io.tome4j.evaluation;

import org.jspecify.annotations.NullMarked;
