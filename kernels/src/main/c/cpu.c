#include "cpu.h"

#include <cpuid.h>
#include <stdint.h>

/* Bits of the XCR0 register: the states that the operating system saves when it switches threads. */
enum {
    SSE_AVX = 0x6,
    AVX512 = 0xe0,
    AMX = 0x60000
};

static int saves(uint32_t states) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) {
        return 0;
    }
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & states) == states;
}

int cpu_has_avx512_bf16(void) {
    const unsigned needed = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & needed) == needed
            && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & bit_AVX512BF16)
            && saves(SSE_AVX | AVX512);
}

int cpu_has_amx_bf16(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bit_AMX_BF16) && saves(AMX);
}
