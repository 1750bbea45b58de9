/** Finds the options of merging that reach a time or a likeness, by trying some. */
@NullMarked
package io.tome4j.evaluation.tune;

import org.jspecify.annotations.NullMarked;
