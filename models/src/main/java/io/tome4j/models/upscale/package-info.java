/** Networks that enlarge images. */
@NullMarked
package io.tome4j.models.upscale;

import org.jspecify.annotations.NullMarked;
