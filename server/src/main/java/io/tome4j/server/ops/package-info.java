/** Health, metrics and the description of the API. */
@NullMarked
package io.tome4j.server.ops;

import org.jspecify.annotations.NullMarked;
