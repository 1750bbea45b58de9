/** JMH benchmarks of the parts that token merging is made of, at the sizes of Stable Diffusion 1.5. */
package io.tome4j.benchmarks;
