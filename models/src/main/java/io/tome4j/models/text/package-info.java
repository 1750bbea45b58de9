/** From a prompt to text embeddings: the CLIP tokenizer and text encoder of Stable Diffusion 1.x and 2.x. */
@NullMarked
package io.tome4j.models.text;

import org.jspecify.annotations.NullMarked;
