/*
 * Convolutions of 3x3 for CPUs with AVX-512 and its bf16 instructions, by Winograd's minimal filtering F(2x2, 3x3)
 * (Lavin and Gray, arXiv 1509.09308): a tile of 2x2 results takes 16 products of each pair of channels where the
 * definition takes 36.
 *
 *  1. Once, when the weights are loaded: each 3x3 filter g becomes the 4x4 matrix G g G'.
 *  2. Tiles are taken a block of BLOCK at a time. The 4x4 pixels d that a tile sees become B' d B, rounded to bf16.
 *  3. For each of the POSITIONS of these matrices, the block's [tiles, in] times the weights' [in, out] is summed in
 *     fp32, ROWS tiles and a group of channels at a time. A group's vectors are 16 channels each, at most VECTORS.
 *  4. The 4x4 sums m of a tile and a channel become the 2x2 results A' m A, which get the bias and are rounded.
 *
 * What is lost is the rounding in 1 and 2: on random numbers the result's error is some two and a half times that of
 * rounding the result itself. The bits of a tile depend neither on the other tiles nor on the groups computed with it.
 * Where a pixel is infinite or not a number, all results of its tiles may be so.
 */
#include "winograd.h"
#include "avx512_bf16.h"

#include <string.h>

enum {
    SIDE = 4, /* of a transformed tile */
    POSITIONS = SIDE * SIDE,
    BLOCK = WINOGRAD_BLOCK,
    ROWS = 6,    /* tiles at a time: ROWS * VECTORS sums fit the registers */
    VECTORS = 4, /* of channels in a group, at most */
    /* So that the POSITIONS' numbers of a tile do not all lie in the same set of the cache. */
    GAP = 32
};

/* A group of the result's channels. */
typedef struct {
    int64_t first; /* vector of channels */
    int vectors;
} group;

typedef struct {
    const convolution *c;
    int64_t across; /* tiles in a row */
    int64_t down;   /* rows of tiles in an image */
    int64_t position; /* numbers from a position's pixels to the next one's */
    uint16_t *pixels; /* transformed: [POSITIONS, BLOCK, in] with gaps */
    float *sums;      /* [POSITIONS, BLOCK, a group's channels] with gaps */
    uint16_t *zeros;  /* [in]: what lies around the image */
} plan;

typedef struct {
    int64_t image;
    int64_t row; /* of its first result */
    int64_t column;
} place;

static int64_t round_up(int64_t number, int64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
}

static int64_t pixel_bytes(int64_t in) {
    return POSITIONS * (BLOCK * in + GAP) * 2;
}

static const int64_t SUM_BYTES = POSITIONS * (BLOCK * VECTORS * LANES + GAP / 2) * 4;

int64_t winograd_weight_bytes(int64_t in, int64_t out) {
    return POSITIONS * in * out * 2;
}

int64_t winograd_tiles(int64_t images, int64_t height, int64_t width) {
    return images * ((height + 1) / 2) * ((width + 1) / 2);
}

int64_t winograd_groups(int64_t out) {
    return (out / LANES + VECTORS - 1) / VECTORS;
}

int64_t winograd_scratch(int64_t in) {
    return pixel_bytes(in) + SUM_BYTES + round_up(in * 2, 64);
}

/* Groups are as even as they can be: one of a single vector would be slow. */
static group group_of(int64_t out, int64_t number) {
    int64_t vectors = out / LANES;
    int64_t groups = winograd_groups(out);
    int64_t from = number * vectors / groups;
    return (group) {.first = from, .vectors = (int) ((number + 1) * vectors / groups - from)};
}

/* Where a group's weights of a position begin: [in / 2, vectors * LANES] pairs. */
static int64_t weight_offset(int64_t in, group g, int position) {
    return (POSITIONS * g.first + position * g.vectors) * LANES * (in / 2);
}

INLINE __m512 widened(const uint16_t *numbers) {
    __m256i halves = _mm256_loadu_si256((const void *) numbers);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

INLINE void store_rounded(uint16_t *to, __m512 numbers) {
    _mm256_storeu_si256((void *) to, (__m256i) _mm512_cvtneps_pbh(numbers));
}

/* ---- 1. weights ---- */

/* G: three numbers become four. */
INLINE void spread(__m512 a, __m512 b, __m512 c, __m512 to[SIDE]) {
    const __m512 half = _mm512_set1_ps(0.5f);
    __m512 outer = _mm512_add_ps(a, c);
    to[0] = a;
    to[1] = _mm512_mul_ps(half, _mm512_add_ps(outer, b));
    to[2] = _mm512_mul_ps(half, _mm512_sub_ps(outer, b));
    to[3] = c;
}

/* LANES channels of one filter. filter: [3, 3, in]; to: POSITIONS places, `apart` numbers from each other */
static void transform_filter(const uint16_t *filter, int64_t in, uint16_t *to, int64_t apart) {
    __m512 half_done[SIDE][3];
    for (int column = 0; column < 3; column++) {
        __m512 spread_rows[SIDE];
        spread(widened(filter + column * in), widened(filter + (3 + column) * in), widened(filter + (6 + column) * in),
                spread_rows);
        for (int row = 0; row < SIDE; row++) {
            half_done[row][column] = spread_rows[row];
        }
    }
    for (int row = 0; row < SIDE; row++) {
        __m512 done[SIDE];
        spread(half_done[row][0], half_done[row][1], half_done[row][2], done);
        for (int column = 0; column < SIDE; column++) {
            store_rounded(to + (row * SIDE + column) * apart, done[column]);
        }
    }
}

/* The filters of LANES channels of the result: lanes of `at`, whose pairs of channels lie `stride` pairs apart. */
static void arrange_vector(const uint16_t *filters, int64_t in, uint32_t *const at[POSITIONS], int64_t stride) {
    _Alignas(64) uint16_t piece[POSITIONS][LANES][WIDE]; /* [.., result's channels, channels] */
    for (int64_t channel = 0; channel < in; channel += WIDE) {
        int wide = in - channel >= WIDE;
        for (int lane = 0; lane < LANES; lane++) {
            const uint16_t *filter = filters + lane * 9 * in + channel;
            transform_filter(filter, in, &piece[0][lane][0], LANES * WIDE);
            if (wide) {
                transform_filter(filter + LANES, in, &piece[0][lane][LANES], LANES * WIDE);
            }
        }
        for (int position = 0; position < POSITIONS; position++) {
            __m512i rows[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                rows[lane] = _mm512_load_si512(piece[position][lane]);
            }
            transpose(rows);
            for (int pair = 0; pair < (wide ? LANES : LANES / 2); pair++) {
                _mm512_storeu_si512(at[position] + (channel / 2 + pair) * stride, rows[pair]);
            }
        }
    }
}

void winograd_arrange(const uint16_t *weights, int64_t in, int64_t out, int64_t from, int64_t to, uint16_t *arranged) {
    for (int64_t number = 0; number < winograd_groups(out); number++) {
        group g = group_of(out, number);
        for (int vector = 0; vector < g.vectors; vector++) {
            int64_t channel = (g.first + vector) * LANES;
            if (channel < from || channel >= to) {
                continue;
            }
            uint32_t *at[POSITIONS];
            for (int position = 0; position < POSITIONS; position++) {
                at[position] = (uint32_t *) arranged + weight_offset(in, g, position) + vector * LANES;
            }
            arrange_vector(weights + channel * 9 * in, in, at, g.vectors * LANES);
        }
    }
}

/* ---- 2. pixels ---- */

static place place_of(const plan *p, int64_t tile) {
    int64_t in_image = tile % (p->across * p->down);
    return (place) {
        .image = tile / (p->across * p->down),
        .row = in_image / p->across * 2,
        .column = in_image % p->across * 2
    };
}

/* Four numbers become four: B'. */
INLINE void differences(__m512 a, __m512 b, __m512 c, __m512 d, __m512 to[SIDE]) {
    to[0] = _mm512_sub_ps(a, c);
    to[1] = _mm512_add_ps(b, c);
    to[2] = _mm512_sub_ps(c, b);
    to[3] = _mm512_sub_ps(b, d);
}

/* number: of the tile in its block */
static void transform_pixels(const plan *p, int64_t number, place at) {
    const convolution *c = p->c;
    const uint16_t *pixel[SIDE][SIDE];
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            int64_t y = at.row + row - 1;
            int64_t x = at.column + column - 1;
            int inside = y >= 0 && y < c->height && x >= 0 && x < c->width;
            pixel[row][column] = inside ? c->x + ((at.image * c->height + y) * c->width + x) * c->in : p->zeros;
        }
    }
    uint16_t *to = p->pixels + number * c->in;
    for (int64_t channel = 0; channel < c->in; channel += LANES) {
        __m512 half_done[SIDE][SIDE];
        for (int column = 0; column < SIDE; column++) {
            __m512 rows[SIDE];
            differences(
                    widened(pixel[0][column] + channel), widened(pixel[1][column] + channel),
                    widened(pixel[2][column] + channel), widened(pixel[3][column] + channel), rows);
            for (int row = 0; row < SIDE; row++) {
                half_done[row][column] = rows[row];
            }
        }
        for (int row = 0; row < SIDE; row++) {
            __m512 done[SIDE];
            differences(half_done[row][0], half_done[row][1], half_done[row][2], half_done[row][3], done);
            for (int column = 0; column < SIDE; column++) {
                store_rounded(to + (row * SIDE + column) * p->position + channel, done[column]);
            }
        }
    }
}

/* ---- 3. products ---- */

/* pixels: [ROWS, 2 * pairs]; weights: [pairs, vectors * LANES] pairs; sums: [ROWS, vectors * LANES] */
INLINE void multiply(int vectors, const uint16_t *pixels, const uint32_t *weights, int64_t pairs, float *sums) {
    const uint32_t *row[ROWS];
    __m512 sum[ROWS][VECTORS];
    for (int r = 0; r < ROWS; r++) {
        row[r] = (const uint32_t *) pixels + r * pairs;
        for (int v = 0; v < vectors; v++) {
            sum[r][v] = _mm512_setzero_ps();
        }
    }
    for (int64_t i = 0; i < pairs; i++) {
        __m512bh weight[VECTORS];
        for (int v = 0; v < vectors; v++) {
            weight[v] = (__m512bh) _mm512_loadu_si512(weights + (i * vectors + v) * LANES);
        }
        for (int r = 0; r < ROWS; r++) {
            __m512bh pixel = (__m512bh) _mm512_set1_epi32((int) row[r][i]);
            for (int v = 0; v < vectors; v++) {
                sum[r][v] = _mm512_dpbf16_ps(sum[r][v], weight[v], pixel);
            }
        }
    }
    for (int r = 0; r < ROWS; r++) {
        for (int v = 0; v < vectors; v++) {
            _mm512_store_ps(sums + (r * vectors + v) * LANES, sum[r][v]);
        }
    }
}

/* Numbers from a position's sums to the next one's. */
static int64_t sums_apart(group g) {
    return BLOCK * g.vectors * LANES + GAP / 2;
}

INLINE void multiply_all(const plan *p, group g, int vectors, int64_t tiles) {
    int64_t in = p->c->in;
    for (int position = 0; position < POSITIONS; position++) {
        const uint32_t *weights = (const uint32_t *) p->c->weights + weight_offset(in, g, position);
        for (int64_t tile = 0; tile < tiles; tile += ROWS) {
            multiply(
                    vectors, p->pixels + position * p->position + tile * in, weights, in / 2,
                    p->sums + position * sums_apart(g) + tile * vectors * LANES);
        }
    }
}

static void multiply_group(const plan *p, group g, int64_t tiles) {
    switch (g.vectors) {
        case 4: multiply_all(p, g, 4, tiles); break;
        case 3: multiply_all(p, g, 3, tiles); break;
        case 2: multiply_all(p, g, 2, tiles); break;
        default: multiply_all(p, g, 1, tiles); break;
    }
}

/* ---- 4. results ---- */

/* Four numbers become two: A'. */
INLINE void gather(__m512 a, __m512 b, __m512 c, __m512 d, __m512 to[2]) {
    to[0] = _mm512_add_ps(_mm512_add_ps(a, b), c);
    to[1] = _mm512_sub_ps(_mm512_sub_ps(b, c), d);
}

static void store_results(const plan *p, group g, int64_t number, place at) {
    const convolution *c = p->c;
    int64_t apart = sums_apart(g);
    int rows = c->height - at.row < 2 ? 1 : 2;
    int columns = c->width - at.column < 2 ? 1 : 2;
    uint16_t *result = c->result + ((at.image * c->height + at.row) * c->width + at.column) * c->out;
    for (int vector = 0; vector < g.vectors; vector++) {
        const float *sums = p->sums + (number * g.vectors + vector) * LANES;
        int64_t channel = (g.first + vector) * LANES;
        __m512 bias = widened(c->bias + channel);
        __m512 half_done[2][SIDE];
        for (int column = 0; column < SIDE; column++) {
            __m512 two[2];
            gather(
                    _mm512_load_ps(sums + column * apart), _mm512_load_ps(sums + (SIDE + column) * apart),
                    _mm512_load_ps(sums + (2 * SIDE + column) * apart),
                    _mm512_load_ps(sums + (3 * SIDE + column) * apart), two);
            half_done[0][column] = two[0];
            half_done[1][column] = two[1];
        }
        for (int row = 0; row < rows; row++) {
            __m512 two[2];
            gather(half_done[row][0], half_done[row][1], half_done[row][2], half_done[row][3], two);
            for (int column = 0; column < columns; column++) {
                uint16_t *to = result + (row * c->width + column) * c->out + channel;
                store_rounded(to, _mm512_add_ps(two[column], bias));
            }
        }
    }
}

/* ---- the order of it all ---- */

void winograd_avx512_bf16(
        const convolution *c, int64_t first_tile, int64_t end_tile, int64_t first_group, int64_t end_group, void *scratch) {
    plan p = {.c = c, .across = (c->width + 1) / 2, .down = (c->height + 1) / 2, .position = BLOCK * c->in + GAP};
    p.pixels = scratch;
    p.sums = (float *) ((char *) scratch + pixel_bytes(c->in));
    p.zeros = (uint16_t *) ((char *) p.sums + SUM_BYTES);
    memset(p.zeros, 0, c->in * 2);
    for (int64_t from = first_tile; from < end_tile; from += BLOCK) {
        int64_t tiles = end_tile - from < BLOCK ? end_tile - from : BLOCK;
        for (int64_t tile = 0; tile < tiles; tile++) {
            transform_pixels(&p, tile, place_of(&p, from + tile));
        }
        int64_t padded = round_up(tiles, ROWS); /* no tile lies there: any numbers will do that are numbers */
        for (int position = 0; position < POSITIONS; position++) {
            memset(p.pixels + position * p.position + tiles * c->in, 0, (padded - tiles) * c->in * 2);
        }
        for (int64_t number = first_group; number < end_group; number++) {
            group g = group_of(c->out, number);
            multiply_group(&p, g, padded);
            for (int64_t tile = 0; tile < tiles; tile++) {
                store_results(&p, g, tile, place_of(&p, from + tile));
            }
        }
    }
}
