/** Many prompts on a Spark cluster. */
@NullMarked
package io.tome4j.spark;

import org.jspecify.annotations.NullMarked;
