/** An evaluation as one page to look at: tables, charts, and images that flip between unmerged and merged. */
@NullMarked
package io.tome4j.evaluation.report;

import org.jspecify.annotations.NullMarked;
