/* Attention of one head, softmax(scale * q k^T + mask + bias) v, in bf16. */
#ifndef TOME4J_ATTENTION_H
#define TOME4J_ATTENTION_H

#include <stdint.h>

/* Rows of bf16 numbers: those of a row lie side by side, rows begin `stride` numbers apart. */
typedef struct {
    const uint16_t *start;
    int64_t stride;
} bf16_rows;

typedef struct {
    bf16_rows queries; /* [rows, size] */
    bf16_rows keys;    /* [count, size] */
    bf16_rows values;  /* [count, size] */
    bf16_rows mask;    /* [rows, count], added to the scores; start may be NULL */
    const float *bias; /* [count], added to the scores of all queries; may be NULL */
    uint16_t *out;     /* [rows, size] */
    int64_t out_stride;
    int64_t rows;  /* queries, at least 1 */
    int64_t count; /* keys, at least 1 */
    int64_t size;  /* of the head: a multiple of 8 */
    float scale;
    void *scratch; /* attention_scratch(count, size) bytes, 64-byte aligned */
} attention_head;

/* Bytes of memory that a call needs for itself. */
int64_t attention_scratch(int64_t count, int64_t size);

void attention_avx512_bf16(const attention_head *head);

#endif
