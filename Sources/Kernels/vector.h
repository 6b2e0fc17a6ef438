// Sixteen virtual lanes: one AVX-512 register, two AVX2 registers or sixteen scalars. The kernels
// are written once over this type and compiled once for each instruction set.
#pragma once
#include <stdint.h>
#include <string.h>

// Every function that takes lanes is inlined: no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

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
