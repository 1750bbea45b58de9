/** Spring Boot's auto-configuration of tome4j: the pipeline, the image models on it, and a health indicator. */
@NullMarked
package io.tome4j.springboot;

import org.jspecify.annotations.NullMarked;
