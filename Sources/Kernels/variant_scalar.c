// The processor's baseline. x86-64's has no fused multiply-add: it is made of double-precision
// operations there, slower, with the same bits.
#define KERNEL_TABLE kernel_table_scalar
#define WIDE_TILES 0
#if defined(__x86_64__) && !defined(__FMA__)
#define SOFTWARE_FMA 1
#endif
#include "variant.inc.h"
