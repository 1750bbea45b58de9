/**
 * Schedulers: the noise levels that a sampler visits, and the update from one to the next. Each computes what the class
 * of the same name in diffusers computes, so that a checkpoint's {@code scheduler_config.json} means here what it means
 * there.
 */
@NullMarked
package io.tome4j.diffusion.scheduler;

import org.jspecify.annotations.NullMarked;
