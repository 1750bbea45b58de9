/** The denoising network, {@code UNet2DConditionModel}: its parts bear the names that the checkpoint uses. */
@NullMarked
package io.tome4j.models.unet;

import org.jspecify.annotations.NullMarked;
