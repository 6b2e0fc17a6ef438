// The processor's baseline. Without fused multiply-add in hardware, fma is libm's, which rounds
// correctly: slow, and the same bits.
#define KERNEL_TABLE kernel_table_scalar
#define WIDE_TILES 0
#include "variant.inc.h"
