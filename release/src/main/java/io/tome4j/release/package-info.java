/** Whether what a release would send to Maven Central is what Central, and we, ask for. Not published itself. */
@NullMarked
package io.tome4j.release;

import org.jspecify.annotations.NullMarked;
