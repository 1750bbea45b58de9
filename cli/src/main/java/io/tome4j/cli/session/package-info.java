/** What every command does around its own work: check, load, show progress, stop at Ctrl-C, write and print. */
@NullMarked
package io.tome4j.cli.session;

import org.jspecify.annotations.NullMarked;
