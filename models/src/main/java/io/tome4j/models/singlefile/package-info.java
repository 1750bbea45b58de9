/**
 * Models in a single safetensors file: what a file is ({@link io.tome4j.models.singlefile.FileContents}), and the checkpoint
 * it makes ({@link io.tome4j.models.singlefile.SingleFile}), told by the names and shapes of its tensors.
 */
@NullMarked
package io.tome4j.models.singlefile;

import org.jspecify.annotations.NullMarked;
