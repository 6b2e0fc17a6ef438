// AVX-512: a register is sixteen lanes.
#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#define KERNEL_TABLE kernel_table_avx512
#define WIDE_TILES 1
#include "variant.inc.h"
#pragma clang attribute pop
#endif
