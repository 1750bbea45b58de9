/*
 * Attention of one head for CPUs with AVX-512 and its bf16 instructions: scores, exponentials and the product with the
 * values in one pass, so that no score leaves the first-level cache.
 *
 *  1. The head's keys are copied together, its values are interleaved by pairs of keys, as the bf16 product wants them,
 *     and get a column of ones: the row sums of the exponentials fall out of the product with it. Keys are padded to a
 *     multiple of KEYS; padding has a bias of minus infinity, so that it counts nothing.
 *  2. Queries are taken a tile of TILE at a time: scaled, so that a power of two is the exponential, and transposed.
 *     In everything that follows a vector's lanes are LANES queries.
 *  3. Keys are taken a block of BLOCK at a time. The scores of KEYS keys and a tile's queries are summed in registers,
 *     turned there into weights, 2^(score - shift), and written as pairs of bf16.
 *  4. The block's weights times the block's values are added to the tile's sums, KEYS columns at a time.
 *  5. The sums are divided by the row sums, transposed back and rounded to bf16.
 *
 * A row's shift need not be its largest score: any will do that keeps clear of both ends of fp32's range. So a tile is
 * first done without shifts and without looking for largest scores, and ordinary scores need no more.
 *
 *   (A) If each row's sum of weights then lies between SMALL and LARGE, no weight was infinite and none was lost that
 *       matters. The first block's sums already tell most tiles that are not so.
 *   (B) Otherwise the tile is done again with shifts, which after each block are no more than log2(LARGE) below and
 *       -log2(SMALL) above the row's largest score so far. A block after which that fails for some row gives those rows
 *       new shifts, namely the largest scores, rounded to integers so that sums are rescaled exactly, and has its
 *       weights computed again. Once is enough: the shift is subtracted from the finished score, so that the largest
 *       one becomes 0 however large it was.
 *   (C) Weights of up to LARGE times values may overflow where the result does not. A tile with such a row is done
 *       again with shifts so large that a row's weights add up to 1 at most.
 *
 * NaN: a score that is not a number gives such a weight, sum and result, in its row alone. A row of which every score
 * is minus infinity has a sum of 0, and 0 / 0 as its result. The bits of a tile do not depend on other tiles: a range
 * of queries that begins at a multiple of TILE gives the same as the whole.
 */
#include "attention.h"
#include "avx512_bf16.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    VECTORS = 4,            /* of queries, in a tile */
    TILE = VECTORS * LANES, /* queries */
    KEYS = 6,               /* keys, or columns of values, at a time: KEYS * VECTORS sums fit the registers */
    BLOCK = 144             /* keys, a multiple of KEYS: a block's weights take 18 KB */
};

static const float SMALL = 0x1p-10f;
static const float LARGE = 0x1p60f;

/* What the parts of a call share. Pointers lead into the caller's scratch memory. */
typedef struct {
    const attention_head *head;
    int64_t padded;    /* keys, a multiple of KEYS */
    int64_t columns;   /* of values and ones: size + 1 */
    uint32_t *keys;    /* pairs of features: [padded, size / 2] */
    uint32_t *values;  /* pairs of keys: a block's [columns / KEYS, block / 2, KEYS], the last group the rest */
    float *bias;       /* [padded], in powers of two */
    uint32_t *queries; /* pairs of features: [size / 2, TILE] */
    uint32_t *weights; /* pairs of keys: [BLOCK / 2, TILE] */
    float *mask;       /* [BLOCK, TILE], in powers of two */
    float *sums;       /* [columns, TILE] */
    uint32_t *line;    /* a pair of keys' values: [columns], and some more */
} plan;

/* Queries that are computed together, lane by lane. */
typedef struct {
    int64_t from;
    int64_t rows;
    __m512 shift[VECTORS];
    __m512 top[VECTORS]; /* the largest score so far, unless the shifts are given */
} tile;

typedef enum { WITHOUT_SHIFTS, ADAPTED_SHIFTS, GIVEN_SHIFTS } manner;

static int64_t round_up(int64_t number, int64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
}

/* The next part of the scratch memory. */
static void *take(uintptr_t *next, int64_t bytes) {
    void *part = (void *) *next;
    *next += round_up(bytes, 64);
    return part;
}

/* Returns where the memory ends. */
static uintptr_t lay_out(plan *p, int64_t count, int64_t size, uintptr_t memory) {
    p->padded = round_up(count, KEYS);
    p->columns = size + 1;
    p->keys = take(&memory, p->padded * size * 2);
    p->values = take(&memory, p->padded / 2 * p->columns * 4);
    p->bias = take(&memory, p->padded * 4);
    p->queries = take(&memory, size / 2 * TILE * 4);
    p->weights = take(&memory, BLOCK / 2 * TILE * 4);
    p->mask = take(&memory, BLOCK * TILE * 4);
    p->sums = take(&memory, p->columns * TILE * 4);
    p->line = take(&memory, (p->columns + WIDE) * 4);
    return memory;
}

int64_t attention_scratch(int64_t count, int64_t size) {
    plan p;
    return (int64_t) lay_out(&p, count, size, 0);
}

/* ---- 1. keys and values ---- */

static void pack_keys(const plan *p) {
    const attention_head *h = p->head;
    int64_t row = h->size / 2;
    for (int64_t key = 0; key < h->count; key++) {
        memcpy(p->keys + key * row, h->keys.start + key * h->keys.stride, row * 4);
    }
    memset(p->keys + h->count * row, 0, (p->padded - h->count) * row * 4);
}

static void pack_bias(const plan *p) {
    int64_t count = p->head->count;
    for (int64_t key = 0; key < p->padded; key += LANES) {
        __mmask16 real = first(count > key ? count - key : 0, LANES);
        __m512 bias = p->head->bias ? _mm512_maskz_loadu_ps(real, p->head->bias + key) : _mm512_setzero_ps();
        bias = _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), real, to_base_2(bias));
        _mm512_mask_storeu_ps(p->bias + key, first(p->padded - key, LANES), bias);
    }
}

/* The values of a key and the next one, side by side, and the pair of ones behind them. */
static void pair_of_keys(const plan *p, int64_t key) {
    const __m512i lower = _mm512_set_epi16(
            47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8,
            39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i upper = _mm512_add_epi16(lower, _mm512_set1_epi16(LANES));
    const attention_head *h = p->head;
    const uint16_t *even = h->values.start + key * h->values.stride;
    const uint16_t *odd = even + h->values.stride;
    int two = key + 1 < h->count;
    uint32_t *line = p->line;
    for (int64_t column = 0; column < h->size; column += WIDE) {
        __mmask32 here = first(h->size - column, WIDE);
        __m512i a = _mm512_maskz_loadu_epi16(here, even + column);
        __m512i b = two ? _mm512_maskz_loadu_epi16(here, odd + column) : _mm512_setzero_si512();
        _mm512_storeu_si512(line + column, _mm512_permutex2var_epi16(a, lower, b));
        _mm512_storeu_si512(line + column + LANES, _mm512_permutex2var_epi16(a, upper, b));
    }
    line[h->size] = two ? 0x3f803f80 : 0x3f80;
}

static void pack_values(const plan *p) {
    for (int64_t from = 0; from < p->padded; from += BLOCK) {
        int64_t keys = p->padded - from < BLOCK ? p->padded - from : BLOCK;
        uint32_t *block = p->values + from / 2 * p->columns;
        for (int64_t pair = 0; pair < keys / 2; pair++) {
            if (from + 2 * pair < p->head->count) {
                pair_of_keys(p, from + 2 * pair);
            } else {
                memset(p->line, 0, p->columns * 4);
            }
            for (int64_t column = 0; column < p->columns; column += KEYS) {
                int64_t width = p->columns - column < KEYS ? p->columns - column : KEYS;
                __m256i part = _mm256_loadu_si256((const void *) (p->line + column));
                _mm256_mask_storeu_epi32(block + column * (keys / 2) + pair * width, first(width, KEYS), part);
            }
        }
    }
}

/* ---- 2. queries ---- */

INLINE __m512i scaled_pairs(__m512i x, __m512 scale) {
    __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
    __m512 odd = _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32((int) 0xffff0000)));
    return pairs(_mm512_mul_ps(even, scale), _mm512_mul_ps(odd, scale));
}

/* Lanes behind the last query are zeros. */
static void pack_queries(const plan *p, const tile *t) {
    const attention_head *h = p->head;
    __m512 scale = _mm512_set1_ps(h->scale * LOG2_E);
    for (int64_t row = 0; row < TILE; row += LANES) {
        for (int64_t column = 0; column < h->size; column += WIDE) {
            __mmask32 here = first(h->size - column, WIDE);
            __m512i part[LANES];
            for (int i = 0; i < LANES; i++) {
                const uint16_t *query = h->queries.start + (t->from + row + i) * h->queries.stride;
                __mmask32 present = row + i < t->rows ? here : 0;
                part[i] = scaled_pairs(_mm512_maskz_loadu_epi16(present, query + column), scale);
            }
            transpose(part);
            uint32_t *to = p->queries + column / 2 * TILE + row;
            int64_t feature_pairs = (h->size - column) / 2;
            for (int i = 0; i < LANES && i < feature_pairs; i++) {
                _mm512_store_si512(to + i * TILE, part[i]);
            }
        }
    }
}

/* ---- 3. scores and weights ---- */

/* The mask of a tile and a block, transposed. */
static void pack_mask(const plan *p, const tile *t, int64_t first_key, int64_t keys) {
    const bf16_rows *mask = &p->head->mask;
    for (int64_t row = 0; row < TILE; row += LANES) {
        for (int64_t key = 0; key < keys; key += LANES) {
            int64_t left = p->head->count - first_key - key;
            __mmask16 here = first(left > 0 ? left : 0, LANES);
            __m512i part[LANES];
            for (int i = 0; i < LANES; i++) {
                const uint16_t *line = mask->start + (t->from + row + i) * mask->stride + first_key + key;
                __m256i halves = _mm256_maskz_loadu_epi16(row + i < t->rows ? here : 0, line);
                __m512 wide = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
                part[i] = _mm512_castps_si512(to_base_2(wide));
            }
            transpose(part);
            for (int i = 0; i < LANES && i < keys - key; i++) {
                _mm512_store_ps(p->mask + (key + i) * TILE + row, _mm512_castsi512_ps(part[i]));
            }
        }
    }
}

/*
 * The weights of KEYS keys. In general there is a shift, maybe a mask, and the largest scores are wanted.
 *
 * keys: [KEYS, size / 2]; bias: [KEYS]; mask: [KEYS, TILE] or NULL; weights: [KEYS / 2, TILE]
 */
INLINE void weigh(
        const plan *p, tile *t, const uint32_t *keys, const float *bias,
        int general, const float *mask, uint32_t *weights) {
    int64_t feature_pairs = p->head->size / 2;
    __m512 score[KEYS][VECTORS];
    for (int k = 0; k < KEYS; k++) {
        for (int j = 0; j < VECTORS; j++) {
            score[k][j] = _mm512_set1_ps(bias[k]);
            if (general && mask) {
                score[k][j] = _mm512_add_ps(score[k][j], _mm512_load_ps(mask + k * TILE + j * LANES));
            }
        }
    }
    for (int64_t i = 0; i < feature_pairs; i++) {
        __m512bh query[VECTORS];
        for (int j = 0; j < VECTORS; j++) {
            query[j] = (__m512bh) _mm512_load_si512(p->queries + i * TILE + j * LANES);
        }
        for (int k = 0; k < KEYS; k++) {
            __m512bh key = (__m512bh) _mm512_set1_epi32((int) keys[k * feature_pairs + i]);
            for (int j = 0; j < VECTORS; j++) {
                score[k][j] = _mm512_dpbf16_ps(score[k][j], query[j], key);
            }
        }
    }
    for (int k = 0; k < KEYS; k += 2) {
        for (int j = 0; j < VECTORS; j++) {
            __m512 even = score[k][j];
            __m512 odd = score[k + 1][j];
            if (general) {
                t->top[j] = _mm512_max_ps(t->top[j], _mm512_max_ps(even, odd));
                even = _mm512_sub_ps(even, t->shift[j]);
                odd = _mm512_sub_ps(odd, t->shift[j]);
            }
            _mm512_store_si512(weights + k / 2 * TILE + j * LANES, pairs(exp2_of(even), exp2_of(odd)));
        }
    }
}

static void weigh_block(const plan *p, tile *t, int64_t first_key, int64_t keys) {
    for (int64_t k = 0; k < keys; k += KEYS) {
        const uint32_t *packed = p->keys + (first_key + k) * (p->head->size / 2);
        weigh(p, t, packed, p->bias + first_key + k, 0, NULL, p->weights + k / 2 * TILE);
    }
}

static void weigh_block_in_general(const plan *p, tile *t, int64_t first_key, int64_t keys) {
    for (int64_t k = 0; k < keys; k += KEYS) {
        const uint32_t *packed = p->keys + (first_key + k) * (p->head->size / 2);
        const float *mask = p->head->mask.start ? p->mask + k * TILE : NULL;
        weigh(p, t, packed, p->bias + first_key + k, 1, mask, p->weights + k / 2 * TILE);
    }
}

/* Makes the shifts what (B) says. Returns whether they were not, so that the block's weights are of no use. */
static int adapt_shifts(const plan *p, tile *t) {
    const __m512 highest = _mm512_getexp_ps(_mm512_set1_ps(LARGE));
    const __m512 lowest = _mm512_getexp_ps(_mm512_set1_ps(SMALL));
    int changed = 0;
    for (int j = 0; j < VECTORS; j++) {
        __m512 above = _mm512_sub_ps(t->top[j], t->shift[j]);
        __mmask16 outside = _mm512_cmp_ps_mask(above, highest, _CMP_GT_OQ)
                | (_mm512_cmp_ps_mask(above, lowest, _CMP_LT_OQ)
                        & _mm512_cmp_ps_mask(t->top[j], _mm512_set1_ps(-INFINITY), _CMP_GT_OQ));
        if (!outside) {
            continue;
        }
        changed = 1;
        __m512 shift = _mm512_mask_roundscale_ps(t->shift[j], outside, t->top[j], _MM_FROUND_TO_NEAREST_INT);
        /* Only a row without sums can get a lower one: there, any finite factor will do. */
        __m512 power = _mm512_min_ps(_mm512_sub_ps(t->shift[j], shift), _mm512_setzero_ps());
        t->shift[j] = shift;
        for (int64_t column = 0; column < p->columns; column++) {
            float *sums = p->sums + column * TILE + j * LANES;
            _mm512_store_ps(sums, _mm512_scalef_ps(_mm512_load_ps(sums), power));
        }
    }
    return changed;
}

/* ---- 4. the product with the values ---- */

/* weights: [pairs, TILE]; values: [pairs, columns]; sums: [columns, TILE] */
INLINE void add_columns(int columns, const uint32_t *weights, const uint32_t *values, int64_t pairs, float *sums) {
    __m512 sum[KEYS][VECTORS];
    for (int c = 0; c < columns; c++) {
        for (int j = 0; j < VECTORS; j++) {
            sum[c][j] = _mm512_load_ps(sums + c * TILE + j * LANES);
        }
    }
    for (int64_t i = 0; i < pairs; i++) {
        __m512bh weight[VECTORS];
        for (int j = 0; j < VECTORS; j++) {
            weight[j] = (__m512bh) _mm512_load_si512(weights + i * TILE + j * LANES);
        }
        for (int c = 0; c < columns; c++) {
            __m512bh value = (__m512bh) _mm512_set1_epi32((int) values[i * columns + c]);
            for (int j = 0; j < VECTORS; j++) {
                sum[c][j] = _mm512_dpbf16_ps(sum[c][j], weight[j], value);
            }
        }
    }
    for (int c = 0; c < columns; c++) {
        for (int j = 0; j < VECTORS; j++) {
            _mm512_store_ps(sums + c * TILE + j * LANES, sum[c][j]);
        }
    }
}

static void add_block(const plan *p, int64_t first_key, int64_t keys) {
    const uint32_t *values = p->values + first_key / 2 * p->columns;
    int64_t pairs = keys / 2;
    int64_t column = 0;
    for (; column + KEYS <= p->columns; column += KEYS) {
        add_columns(KEYS, p->weights, values + column * pairs, pairs, p->sums + column * TILE);
    }
    values += column * pairs;
    float *sums = p->sums + column * TILE;
    switch (p->columns - column) {
        case 5: add_columns(5, p->weights, values, pairs, sums); break;
        case 4: add_columns(4, p->weights, values, pairs, sums); break;
        case 3: add_columns(3, p->weights, values, pairs, sums); break;
        case 2: add_columns(2, p->weights, values, pairs, sums); break;
        case 1: add_columns(1, p->weights, values, pairs, sums); break;
        default: break;
    }
}

/* ---- 5. the result ---- */

/* Writes a tile's rows. Returns whether a sum overflowed that should not. */
static int store_rows(const plan *p, const tile *t) {
    const attention_head *h = p->head;
    const int not_finite = 0x99; /* infinite, or not a number */
    int overflowed = 0;
    for (int64_t row = 0; row < t->rows; row += LANES) {
        __m512 total = _mm512_load_ps(p->sums + h->size * TILE + row);
        __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1), total);
        __mmask16 checked = first(t->rows - row, LANES) & ~_mm512_fpclass_ps_mask(inverse, not_finite);
        for (int64_t column = 0; column < h->size; column += LANES) {
            int width = h->size - column < LANES ? (int) (h->size - column) : LANES;
            __m512i part[LANES];
            for (int i = 0; i < LANES; i++) {
                __m512 sum = i < width ? _mm512_load_ps(p->sums + (column + i) * TILE + row) : _mm512_setzero_ps();
                overflowed |= _mm512_mask_fpclass_ps_mask(checked, sum, not_finite);
                part[i] = _mm512_castps_si512(_mm512_mul_ps(sum, inverse));
            }
            transpose(part);
            for (int i = 0; i < LANES && row + i < t->rows; i++) {
                __m256i halves = (__m256i) _mm512_cvtneps_pbh(_mm512_castsi512_ps(part[i]));
                uint16_t *to = h->out + (t->from + row + i) * h->out_stride + column;
                _mm256_mask_storeu_epi16(to, first(width, LANES), halves);
            }
        }
    }
    return overflowed != 0;
}

/* ---- the order of it all ---- */

/* Whether (A) holds. */
static int is_in_range(const plan *p) {
    __mmask16 inside = 0xffff;
    for (int j = 0; j < VECTORS; j++) {
        __m512 total = _mm512_load_ps(p->sums + p->head->size * TILE + j * LANES);
        inside &= _mm512_cmp_ps_mask(total, _mm512_set1_ps(SMALL), _CMP_GE_OQ)
                & _mm512_cmp_ps_mask(total, _mm512_set1_ps(LARGE), _CMP_LE_OQ);
    }
    return inside == 0xffff;
}

/* Sums a tile's weighted values over all keys. Returns whether that is of use: see (A). */
static int sum_keys(const plan *p, tile *t, manner shifts) {
    int masked = p->head->mask.start != NULL;
    memset(p->sums, 0, p->columns * TILE * 4);
    for (int64_t key = 0; key < p->padded; key += BLOCK) {
        int64_t keys = p->padded - key < BLOCK ? p->padded - key : BLOCK;
        if (masked) {
            pack_mask(p, t, key, keys);
        }
        if (shifts == WITHOUT_SHIFTS && !masked) {
            weigh_block(p, t, key, keys);
        } else {
            weigh_block_in_general(p, t, key, keys);
        }
        if (shifts == ADAPTED_SHIFTS && adapt_shifts(p, t)) {
            weigh_block_in_general(p, t, key, keys);
        }
        add_block(p, key, keys);
        if (shifts == WITHOUT_SHIFTS && (key == 0 || key + keys == p->padded) && !is_in_range(p)) {
            return 0;
        }
    }
    return 1;
}

/* Shifts with which a row's weights, as summed so far, would have added up to a half at least and to 1 at most. */
static void shift_by_sums(const plan *p, tile *t) {
    for (int j = 0; j < VECTORS; j++) {
        __m512 total = _mm512_load_ps(p->sums + p->head->size * TILE + j * LANES);
        __m512 power = _mm512_add_ps(_mm512_getexp_ps(total), _mm512_set1_ps(1));
        t->shift[j] = _mm512_add_ps(t->shift[j], power);
    }
}

static void attend_tile(const plan *p, int64_t from, int64_t rows) {
    tile t = {.from = from, .rows = rows};
    for (int j = 0; j < VECTORS; j++) {
        t.shift[j] = _mm512_setzero_ps();
        t.top[j] = _mm512_set1_ps(-INFINITY);
    }
    pack_queries(p, &t);
    if (!sum_keys(p, &t, WITHOUT_SHIFTS)) {
        for (int j = 0; j < VECTORS; j++) {
            t.top[j] = _mm512_set1_ps(-INFINITY); /* a mask has it looked for */
        }
        sum_keys(p, &t, ADAPTED_SHIFTS);
    }
    if (store_rows(p, &t)) {
        shift_by_sums(p, &t);
        sum_keys(p, &t, GIVEN_SHIFTS);
        store_rows(p, &t);
    }
}

void attention_avx512_bf16(const attention_head *head) {
    plan p = {.head = head};
    lay_out(&p, head->count, head->size, (uintptr_t) head->scratch);
    pack_keys(&p);
    pack_values(&p);
    pack_bias(&p);
    for (int64_t from = 0; from < head->rows; from += TILE) {
        attend_tile(&p, from, head->rows - from < TILE ? head->rows - from : TILE);
    }
}
