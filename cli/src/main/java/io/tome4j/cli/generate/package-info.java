/** {@code tome generate}: images from a prompt. */
@NullMarked
package io.tome4j.cli.generate;

import org.jspecify.annotations.NullMarked;
