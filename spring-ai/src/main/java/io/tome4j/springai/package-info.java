/** Spring AI's image model, on a pipeline in this process. */
@NullMarked
package io.tome4j.springai;

import org.jspecify.annotations.NullMarked;
