/** Which tokens were merged into which, recorded while an image is made and drawn over it. */
@NullMarked
package io.tome4j.evaluation.maps;

import org.jspecify.annotations.NullMarked;
