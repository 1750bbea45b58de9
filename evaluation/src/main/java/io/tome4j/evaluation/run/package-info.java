/** One run of a setting of merging: made, timed, recorded, and kept so that it need not be made twice. */
@NullMarked
package io.tome4j.evaluation.run;

import org.jspecify.annotations.NullMarked;
