/** One pipeline behind a bounded queue. */
@NullMarked
package io.tome4j.server.queue;

import org.jspecify.annotations.NullMarked;
