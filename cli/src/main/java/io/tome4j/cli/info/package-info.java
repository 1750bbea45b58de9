/** {@code tome info}: what an image was made from. */
@NullMarked
package io.tome4j.cli.info;

import org.jspecify.annotations.NullMarked;
