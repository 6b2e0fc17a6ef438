// AVX2 with FMA: two registers are sixteen lanes.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNEL_TABLE kernel_table_avx2
#define WIDE_TILES 0
#include "variant.inc.h"
#pragma clang attribute pop
#endif
