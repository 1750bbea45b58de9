/** What a framework implements to hand out builders of its own. */
@NullMarked
package io.tome4j.langchain4j.spi;

import org.jspecify.annotations.NullMarked;
