/** How near pictures are to each other, sets of pictures to sets of pictures, and pictures to their prompts. */
@NullMarked
package io.tome4j.evaluation.measures;

import org.jspecify.annotations.NullMarked;
