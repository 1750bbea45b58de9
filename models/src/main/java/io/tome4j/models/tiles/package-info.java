/** Coding an image tile by tile. */
@NullMarked
package io.tome4j.models.tiles;

import org.jspecify.annotations.NullMarked;
