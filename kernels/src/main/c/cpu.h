/* What this CPU has and the operating system lets programs use. Compiled for any x86-64. */
#ifndef TOME4J_CPU_H
#define TOME4J_CPU_H

/* All of AVX-512 that kernels take for granted (F, BW, DQ, VL) and its bf16 instructions. */
int cpu_has_avx512_bf16(void);

/* AMX with bf16 tiles. */
int cpu_has_amx_bf16(void);

#endif
