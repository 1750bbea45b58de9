/** One prompt and seed with and without merging: images side by side, what they took, and how far they are apart. */
@NullMarked
package io.tome4j.evaluation.compare;

import org.jspecify.annotations.NullMarked;
