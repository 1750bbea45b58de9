/** Options that several commands take, and what is made of them. */
@NullMarked
package io.tome4j.cli.options;

import org.jspecify.annotations.NullMarked;
