/**
 * Files of a checkpoint: safetensors, configs, folders, and the Hugging Face hub with its cache; and the sources of weights
 * around others ({@link io.tome4j.checkpoint.RenamedWeights}, {@link io.tome4j.checkpoint.SharedWeights}) or without a file
 * ({@link io.tome4j.checkpoint.RandomWeights}).
 */
@NullMarked
package io.tome4j.checkpoint;

import org.jspecify.annotations.NullMarked;
