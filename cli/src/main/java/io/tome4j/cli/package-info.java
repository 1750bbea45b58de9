/**
 * The {@code tome} program: a package a command, {@code options} that commands share, and the {@code session} that each of
 * them runs in.
 */
@NullMarked
package io.tome4j.cli;

import org.jspecify.annotations.NullMarked;
