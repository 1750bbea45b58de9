/** CLIP with both its encoders: how near an image is to a text, and what is in an image. */
@NullMarked
package io.tome4j.models.clip;

import org.jspecify.annotations.NullMarked;
