/** The embedded default model: a small Stable Diffusion that draws emoji. */
@NullMarked
package io.tome4j.emoji;

import org.jspecify.annotations.NullMarked;
