/** {@code tome serve}: images over HTTP. */
@NullMarked
package io.tome4j.cli.serve;

import org.jspecify.annotations.NullMarked;
