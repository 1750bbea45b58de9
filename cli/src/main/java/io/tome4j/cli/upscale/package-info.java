/** {@code tome upscale}. */
@NullMarked
package io.tome4j.cli.upscale;

import org.jspecify.annotations.NullMarked;
