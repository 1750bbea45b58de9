package io.tome4j.kernels;

/**
 * What one head of attention computes from and where its result goes: {@code softmax(scale * q k^T + mask + bias) v}.
 * All matrices are of bf16.
 *
 * @param queries {@code [rows, size]}
 * @param keys {@code [count, size]}
 * @param values {@code [count, size]}
 * @param out {@code [rows, size]}
 * @param mask {@code [rows, count]}, or {@link Matrix#NONE}
 * @param bias address of {@code [count]} fp32 numbers, or 0
 * @param rows number of queries, at least 1
 * @param count number of keys, at least 1
 * @param size of the head, a multiple of 8
 * @param scale of the scores
 */
public record AttentionHead(
        Matrix queries,
        Matrix keys,
        Matrix values,
        Matrix out,
        Matrix mask,
        long bias,
        long rows,
        long count,
        long size,
        float scale) {
    /** The same with the queries from {@code from} to {@code to} alone. */
    public AttentionHead range(long from, long to) {
        return new AttentionHead(
                queries.from(from), keys, values, out.from(from), mask.from(from), bias, to - from, count, size, scale);
    }
}
