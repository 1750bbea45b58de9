/** LoRA files: what they hold, where it belongs in a model, and weights with it added. */
@NullMarked
package io.tome4j.checkpoint.lora;

import org.jspecify.annotations.NullMarked;
