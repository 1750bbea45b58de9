/** What all APIs have in common: from a request to images, within limits. */
@NullMarked
package io.tome4j.server.generate;

import org.jspecify.annotations.NullMarked;
