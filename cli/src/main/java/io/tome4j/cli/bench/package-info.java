/** {@code tome bench}: how long a denoising step takes. */
@NullMarked
package io.tome4j.cli.bench;

import org.jspecify.annotations.NullMarked;
