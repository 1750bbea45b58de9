/** {@code tome compare}: one image with and without merging, side by side. */
@NullMarked
package io.tome4j.cli.compare;

import org.jspecify.annotations.NullMarked;
