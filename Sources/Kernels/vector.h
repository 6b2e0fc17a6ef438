// Sixteen virtual lanes: one AVX-512 register, two AVX2 registers or sixteen scalars. The kernels
// are written once over this type and compiled once for each instruction set.
#pragma once
#include <stdint.h>
#include <string.h>

// Every function that takes lanes is inlined: no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

#ifndef NATIVE_BFLOAT16
#define NATIVE_BFLOAT16 0
#endif
#ifndef SOFTWARE_FMA
#define SOFTWARE_FMA 0
#endif

#define INLINE static inline __attribute__((always_inline, unused))

typedef float Lanes __attribute__((ext_vector_type(16)));
typedef float LooseLanes __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef int32_t IntLanes __attribute__((ext_vector_type(16)));
typedef double DoubleLanes __attribute__((ext_vector_type(16)));

INLINE Lanes lanes_load(const float *p) { return *(const LooseLanes *)p; }
INLINE void lanes_store(float *p, Lanes x) { *(LooseLanes *)p = x; }
INLINE Lanes lanes_all(float x) { return (Lanes)x; }
#if SOFTWARE_FMA
#include "software_fma.h"
#else
INLINE Lanes lanes_fma(Lanes a, Lanes b, Lanes c) { return __builtin_elementwise_fma(a, b, c); }
#endif

// ---- bfloat16, two in a word: the first of a pair in the lower half

typedef uint32_t BitLanes __attribute__((ext_vector_type(16)));
typedef uint16_t HalfLanes __attribute__((ext_vector_type(16)));
typedef HalfLanes LooseHalfLanes __attribute__((aligned(1), may_alias));

INLINE BitLanes lanes_bits(Lanes x) {
  BitLanes bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
INLINE Lanes lanes_of_bits(BitLanes bits) {
  Lanes x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
// Numbers below the normal range become zeros of their sign.
INLINE BitLanes bits_flushed(BitLanes x) {
  return x & (0x80000000 | (BitLanes)((x & 0x7F800000) != 0));
}
// To nearest even, in the upper halves; NaN stays NaN.
INLINE BitLanes bits_rounded(Lanes x) {
  const BitLanes bits = bits_flushed(lanes_bits(x));
  const BitLanes nan = (BitLanes)((bits & 0x7FFFFFFF) > 0x7F800000);
  const BitLanes rounded = bits + 0x7FFF + (bits >> 16 & 1);
  return ((rounded & ~nan) | ((bits | 0x400000) & nan)) & 0xFFFF0000;
}
INLINE Lanes lanes_paired(Lanes first, Lanes second) {
  return lanes_of_bits(bits_rounded(second) | bits_rounded(first) >> 16);
}
INLINE void lanes_store_halves(uint16_t *p, Lanes x) {
  *(LooseHalfLanes *)p = __builtin_convertvector(bits_rounded(x) >> 16, HalfLanes);
}
INLINE Lanes lanes_dot_pairs(Lanes a, Lanes b, Lanes sum) {
#if NATIVE_BFLOAT16
  return (Lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  const BitLanes p = lanes_bits(a), q = lanes_bits(b), start = bits_flushed(lanes_bits(sum));
  const Lanes second = lanes_fma(
      lanes_of_bits(p & 0xFFFF0000), lanes_of_bits(q & 0xFFFF0000), lanes_of_bits(start));
  const Lanes first = lanes_fma(
      lanes_of_bits(p << 16), lanes_of_bits(q << 16), lanes_of_bits(bits_flushed(lanes_bits(second))));
  return lanes_of_bits(bits_flushed(lanes_bits(first)));
#endif
}

INLINE Lanes lanes_max(Lanes a, Lanes b) { return a > b ? a : b; }

INLINE Lanes lanes_load_first(const float *p, long count, float rest) {
  float buffer[16];
  for (int i = 0; i < 16; i++) buffer[i] = i < count ? p[i] : rest;
  return lanes_load(buffer);
}
INLINE void lanes_store_first(float *p, long count, Lanes x) {
  float buffer[16];
  lanes_store(buffer, x);
  for (long i = 0; i < count; i++) p[i] = buffer[i];
}

// The fixed tree of every reduction: halves added until one lane is left.
INLINE double doubles_sum(DoubleLanes x) {
  double v[16];
  memcpy(v, &x, sizeof v);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}
INLINE float lanes_sum(Lanes x) {
  float v[16];
  lanes_store(v, x);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}
INLINE float lanes_highest(Lanes x) {
  float v[16];
  lanes_store(v, x);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) v[i] = v[i] > v[i + half] ? v[i] : v[i + half];
  return v[0];
}
