/* What kernels for AVX-512 with bf16 have in common: vectors of fp32 and of pairs of bf16. */
#ifndef TOME4J_AVX512_BF16_H
#define TOME4J_AVX512_BF16_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = 16,      /* fp32 numbers in a vector */
    WIDE = 2 * LANES /* bf16 numbers in a vector */
};

static const float LOG2_E = 1.44269504f;

/* The lowest `count` bits; all of them from `lanes` on. */
INLINE uint32_t first(int64_t count, int lanes) {
    return count >= lanes ? (uint32_t) (((uint64_t) 1 << lanes) - 1) : ((uint32_t) 1 << count) - 1;
}

/* Two vectors as pairs of bf16, the even ones in the lower halves. */
INLINE __m512i pairs(__m512 even, __m512 odd) {
    const __m512i interleaved = _mm512_set_epi16(
            31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
            23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(interleaved, (__m512i) _mm512_cvtne2ps_pbh(odd, even));
}

/* 2^x: a cubic whose relative error is below 7.5e-5 on [0, 1), at the place behind the integer. */
INLINE __m512 exp2_of(__m512 x) {
    __m512 fraction = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);
    __m512 power = _mm512_fmadd_ps(fraction, _mm512_set1_ps(0.07802452f), _mm512_set1_ps(0.22606716f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.69583354f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.99992522f));
    return _mm512_scalef_ps(power, x);
}

/* Powers of two for powers of e. What was finite stays so: softmax tells the lowest number from minus infinity. */
INLINE __m512 to_base_2(__m512 x) {
    __m512 scaled = _mm512_mul_ps(x, _mm512_set1_ps(LOG2_E));
    __mmask16 lost = _mm512_cmp_ps_mask(scaled, _mm512_set1_ps(-INFINITY), _CMP_EQ_OQ)
            & _mm512_cmp_ps_mask(x, _mm512_set1_ps(-INFINITY), _CMP_NEQ_UQ);
    return _mm512_mask_mov_ps(scaled, lost, _mm512_set1_ps(-0x1.fffffep127f));
}

/* Element j of row i becomes element i of row j. */
INLINE void transpose(__m512i r[LANES]) {
    __m512i t[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int half = 0; half < LANES; half += 8) {
        for (int i = half; i < half + 4; i++) {
            t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
            t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        }
    }
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    }
}

#endif
