/** Pages that need nothing from elsewhere: their looks, and how to write them. */
@NullMarked
package io.tome4j.evaluation.page;

import org.jspecify.annotations.NullMarked;
