/** The autoencoder between images and latents. */
@NullMarked
package io.tome4j.diffusion.vae;

import org.jspecify.annotations.NullMarked;
