/** Files of a checkpoint: safetensors, configs, folders, and the Hugging Face hub with its cache. */
@NullMarked
package io.tome4j.checkpoint;

import org.jspecify.annotations.NullMarked;
