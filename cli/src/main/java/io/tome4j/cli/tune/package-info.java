/** {@code tome tune}: which options of merging reach a goal. */
@NullMarked
package io.tome4j.cli.tune;

import org.jspecify.annotations.NullMarked;
