// AVX-512 with products of bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx2,fma"))), \
    apply_to = function)
#define KERNEL_TABLE kernel_table_avx512_bfloat16
#define WIDE_TILES 1
#define NATIVE_BFLOAT16 1
#include "variant.inc.h"
#pragma clang attribute pop
#endif
