package io.tome4j.merging;

import org.bytedeco.pytorch.Tensor;

/**
 * For each source its most similar destination.
 *
 * @param similarity {@code [B, S]} fp32: how similar they are; larger is more, on no particular scale
 * @param destination {@code [B, S]} int64: the destination's position among the destinations
 */
record Best(Tensor similarity, Tensor destination) {}
