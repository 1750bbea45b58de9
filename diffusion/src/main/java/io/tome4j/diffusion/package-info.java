/** The Stable Diffusion pipeline: a request goes in, images come out. */
@NullMarked
package io.tome4j.diffusion;

import org.jspecify.annotations.NullMarked;
