/**
 * Token merging (ToMe) on any {@code [B, N, C]} tensor: options, bipartite soft matching, merging and unmerging, and the
 * patching of any model that has mergeable blocks.
 *
 * <p>Sources: Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", arXiv 2303.17604; Bolya et al., "Token
 * Merging: Your ViT But Faster", arXiv 2210.09461.
 */
@NullMarked
package io.tome4j.merging;

import org.jspecify.annotations.NullMarked;
