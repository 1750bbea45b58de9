/** How near images are to each other, sets of images to sets of images, and images to their prompts. */
@NullMarked
package io.tome4j.evaluation.measures;

import org.jspecify.annotations.NullMarked;
