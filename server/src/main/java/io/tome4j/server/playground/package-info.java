/** The page that shows what merging does, and what it asks for. */
@NullMarked
package io.tome4j.server.playground;

import org.jspecify.annotations.NullMarked;
