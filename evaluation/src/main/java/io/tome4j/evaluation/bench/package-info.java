/** The benchmark: how long a denoising step takes, with and without merging, and where its time goes. */
@NullMarked
package io.tome4j.evaluation.bench;

import org.jspecify.annotations.NullMarked;
