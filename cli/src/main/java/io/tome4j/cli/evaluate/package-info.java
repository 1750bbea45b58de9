/** {@code tome evaluate}: what merging costs over many prompts, or how well the embedded model draws. */
@NullMarked
package io.tome4j.cli.evaluate;

import org.jspecify.annotations.NullMarked;
