/* Convolutions of 3x3 that keep the size, in bf16, by Winograd's F(2x2, 3x3). */
#ifndef TOME4J_WINOGRAD_H
#define TOME4J_WINOGRAD_H

#include <stdint.h>

/* Channels lie side by side, then columns, rows and images; so do those of the result. */
typedef struct {
    const uint16_t *x;       /* [images, height, width, in] */
    const uint16_t *weights; /* as winograd_arrange wrote them */
    const uint16_t *bias;    /* [out] */
    uint16_t *result;        /* [images, height, width, out] */
    int64_t images;
    int64_t height;
    int64_t width;
    int64_t in;  /* channels, a multiple of 16 */
    int64_t out; /* channels, a multiple of 16 */
} convolution;

/* Bytes that the arranged weights take: [out, in, 4, 4] numbers. */
int64_t winograd_weight_bytes(int64_t in, int64_t out);

/*
 * Transforms and arranges the weights of some of the result's channels, those from `from` to `to`, multiples of 16.
 *
 * weights: [out, 3, 3, in]; arranged: winograd_weight_bytes(in, out) bytes, of all channels
 */
void winograd_arrange(const uint16_t *weights, int64_t in, int64_t out, int64_t from, int64_t to, uint16_t *arranged);

/* How many tiles of 2x2 the result is cut into: by rows, then images. */
int64_t winograd_tiles(int64_t images, int64_t height, int64_t width);

/* How many groups the result's channels are cut into. */
int64_t winograd_groups(int64_t out);

/* Bytes of memory that a call needs for itself. */
int64_t winograd_scratch(int64_t in);

/*
 * Computes some groups of channels of some tiles. Any number of tiles will do, multiples of WINOGRAD_BLOCK do best.
 *
 * scratch: winograd_scratch(in) bytes, 64-byte aligned
 */
void winograd_avx512_bf16(
        const convolution *c, int64_t first_tile, int64_t end_tile, int64_t first_group, int64_t end_group, void *scratch);

enum { WINOGRAD_BLOCK = 48 /* tiles that are computed together */ };

#endif
