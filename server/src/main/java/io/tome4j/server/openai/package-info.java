/** OpenAI's images API. */
@NullMarked
package io.tome4j.server.openai;

import org.jspecify.annotations.NullMarked;
