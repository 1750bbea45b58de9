/** The autoencoder between images and latents. */
@NullMarked
package io.tome4j.models.vae;

import org.jspecify.annotations.NullMarked;
