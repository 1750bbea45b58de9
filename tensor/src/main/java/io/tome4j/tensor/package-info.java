/**
 * All of tome4j that knows libtorch: scopes for native memory, the engine's set-up, device and dtype choice, the few
 * layers a diffusion model needs, and attention kernels.
 */
@NullMarked
package io.tome4j.tensor;

import org.jspecify.annotations.NullMarked;
