/** What a prompt says besides its words: weights, parts that are composed, texts that change with the step. No tensors. */
@NullMarked
package io.tome4j.diffusion.prompt;

import org.jspecify.annotations.NullMarked;
