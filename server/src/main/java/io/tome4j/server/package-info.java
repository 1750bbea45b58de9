/** The server: what its parts are put together to. */
@NullMarked
package io.tome4j.server;

import org.jspecify.annotations.NullMarked;
