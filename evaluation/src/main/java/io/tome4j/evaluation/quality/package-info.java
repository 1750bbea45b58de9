/** What merging costs and gains over many prompts: a grid of settings against the unmerged images, measured and resumable. */
@NullMarked
package io.tome4j.evaluation.quality;

import org.jspecify.annotations.NullMarked;
