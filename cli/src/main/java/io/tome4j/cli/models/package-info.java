/** {@code tome models}: which models are at hand. */
@NullMarked
package io.tome4j.cli.models;

import org.jspecify.annotations.NullMarked;
