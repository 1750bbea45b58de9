/** The {@code tome} program: one class a subcommand. */
@NullMarked
package io.tome4j.cli;

import org.jspecify.annotations.NullMarked;
