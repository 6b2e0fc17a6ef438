// Sixteen fused multiply-adds for processors without the instruction, correctly rounded.
//
// In double the product of two floats is exact; so is the rounding of the sum to float, except
// where the sum, itself rounded to double, lies halfway between two floats, or where the result is
// below the normal range. These lanes, one in half a milliard, are left to libm's fmaf.
#pragma once

typedef int32_t WordLanes __attribute__((ext_vector_type(32)));

// A call per vector, not per lane; rare.
static __attribute__((noinline)) void fma_by_libm(
    const float *a, const float *b, const float *c, float *y) {
  for (int i = 0; i < 16; i++) y[i] = __builtin_fmaf(a[i], b[i], c[i]);
}

INLINE Lanes lanes_fma(Lanes a, Lanes b, Lanes c) {
  const DoubleLanes sum = __builtin_convertvector(a, DoubleLanes) *
                              __builtin_convertvector(b, DoubleLanes) +
                          __builtin_convertvector(c, DoubleLanes);
  // Little-endian words: the low 29 bits of a double are those that a float lacks; the upper word
  // without its sign tells whether the number is below 2^−125.
  WordLanes low, high;
  memcpy(&low, &sum, sizeof low);
  high = low & 0x7fffffff;
  low = low & 0x1fffffff;
  const WordLanes even = (WordLanes){-1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0,
                                     -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0};
  const WordLanes halfway = (low == 0x10000000) & even;
  const WordLanes small = (high < 0x38200000) & (high != 0) & ~even;
  Lanes result = __builtin_convertvector(sum, Lanes);
  if (__builtin_expect(__builtin_reduce_or(halfway | small) != 0, 0)) {
    float x[16], y[16], z[16], r[16];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    memcpy(z, &c, sizeof z);
    fma_by_libm(x, y, z, r);
    memcpy(&result, r, sizeof r);
  }
  return result;
}
