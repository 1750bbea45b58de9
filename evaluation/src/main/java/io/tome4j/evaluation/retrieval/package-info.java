/** How well the embedded model draws what it is asked for: its images are looked up among all motifs. */
@NullMarked
package io.tome4j.evaluation.retrieval;

import org.jspecify.annotations.NullMarked;
