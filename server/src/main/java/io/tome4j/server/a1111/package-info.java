/** The API of Automatic1111's web UI. */
@NullMarked
package io.tome4j.server.a1111;

import org.jspecify.annotations.NullMarked;
