/** LangChain4j's image model, on a pipeline in this process. */
@NullMarked
package io.tome4j.langchain4j;

import org.jspecify.annotations.NullMarked;
