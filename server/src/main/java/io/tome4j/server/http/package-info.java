/** HTTP, as wide as the routes need it. */
@NullMarked
package io.tome4j.server.http;

import org.jspecify.annotations.NullMarked;
