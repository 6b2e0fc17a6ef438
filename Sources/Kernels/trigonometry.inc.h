// sin and cos in double: fdlibm's kernels on |r| ≤ π/4, reduced by a three-part π/2 where the
// quotient is small and by Payne & Hanek's method (2/π as a bit string) elsewhere.
#include "vector.h"

// |r| ≤ π/4 with its tail (k_sin.c, k_cos.c).
INLINE double sine_near_zero(double r, double tail) {
  static const double series[] = {1.58969099521155010221e-10, -2.50507602534068634195e-08,
                                  2.75573137070700676789e-06, -1.98412698298579493134e-04,
                                  8.33333333332248946124e-03};
  const double z = r * r, v = z * r;
  const double p = polynomial(z, series, 5);
  return r - ((z * (0.5 * tail - v * p) - tail) - v * -1.66666666666666324348e-01);
}
INLINE double cosine_near_zero(double r, double tail) {
  static const double series[] = {-1.13596475577881948265e-11, 2.08757232129817482790e-09,
                                  -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                                  -1.38888888888741095749e-03, 4.16666666666666019037e-02};
  const double z = r * r, p = z * polynomial(z, series, 6);
  const double half = 0.5 * z, w = 1.0 - half;
  return w + (((1.0 - w) - half) + (z * p - r * tail));
}

// The bits of 2/π after the point (fdlibm's table, 24 bits a word).
static const uint32_t two_over_pi[] = {
    0xA2F983, 0x6E4E44, 0x1529FC, 0x2757D1, 0xF534DD, 0xC0DB62, 0x95993C, 0x439041, 0xFE5163,
    0xABDEBB, 0xC561B7, 0x246E3A, 0x424DD2, 0xE00649, 0x2EEA09, 0xD1921C, 0xFE1DEB, 0x1CB129,
    0xA73EE8, 0x8235F5, 0x2EBB44, 0x84E99C, 0x7026B4, 0x5F7E41, 0x3991D6, 0x398353, 0x39F49C,
    0x845F8B, 0xBDF928, 0x3B1FF8, 0x97FFDE, 0x05980F, 0xEF2F11, 0x8B5A0A, 0x6D1F6D, 0x367ECF,
    0x27CB09, 0xB74F46, 0x3F669E, 0x5FEA2D, 0x7527BA, 0xC7EBE5, 0xF17B3D, 0x0739F7, 0x8A5292,
    0x6BFB5F, 0x8D5D08, 0x560330, 0x46FC7B, 0x6BABF0, 0xCFBC20, 0x9AF436, 0x1DA9E3, 0x91615E,
    0xE61B08, 0x659985, 0x5F14A0, 0x68408D, 0x5C6C1C, 0xF3B5C5, 0x4D0AA5, 0x28C2D8};

// 64 bits of 2/π whose first has weight 2^(−1−first); zeros before the point.
INLINE uint64_t two_over_pi_bits(int64_t first) {
  uint64_t bits = 0;
  for (int64_t i = first; i < first + 64; i++) {
    uint64_t bit = 0;
    if (i >= 0 && i / 24 < 62) bit = (two_over_pi[i / 24] >> (23 - i % 24)) & 1;
    bits = bits << 1 | bit;
  }
  return bits;
}

// r + tail = x − q · π/2 for any finite x ≥ 0x1p20; returns q mod 4.
static int reduce_large(double x, double *r, double *tail) {
  const uint64_t u = double_bits(x);
  const int64_t exponent = (int64_t)(u >> 52) - 1075;  // x = mantissa · 2^exponent
  const uint64_t mantissa = (u & 0xfffffffffffff) | 0x10000000000000;
  // Bits before this one only add whole turns; 192 bits from here on are exact enough.
  const int64_t first = exponent - 2;
  const uint64_t w0 = two_over_pi_bits(first), w1 = two_over_pi_bits(first + 64),
                 w2 = two_over_pi_bits(first + 128);
  // product = mantissa · w0w1w2; its point lies 190 bits up, above it q modulo 4.
  const unsigned __int128 p2 = (unsigned __int128)mantissa * w2,
                          p1 = (unsigned __int128)mantissa * w1 + (uint64_t)(p2 >> 64);
  const uint64_t low = (uint64_t)p1;
  uint64_t high = mantissa * w0 + (uint64_t)(p1 >> 64);
  int quotient = (int)(high >> 62);
  unsigned __int128 fraction = (((unsigned __int128)(high << 2) << 64)) |
                               ((unsigned __int128)(low >> 62) << 64) | (low << 2) |
                               (uint64_t)p2 >> 62;
  const bool negative = fraction >> 127;
  if (negative) {
    quotient = (quotient + 1) & 3;
    fraction = -fraction;
  }
  // fraction · 2⁻¹²⁸ · π/2, in two doubles
  double scale = 0x1p-128;
  while (fraction && !(fraction >> 127)) {
    fraction <<= 1;
    scale *= 0.5;
  }
  const double f_high = (double)(uint64_t)(fraction >> 75) * 0x1p75 * scale;
  const double f_low = (double)(uint64_t)((fraction >> 11) & 0xffffffffffffffff) * 0x1p11 * scale;
  const double half_pi = 0x1.921fb54442d18p0, half_pi_low = 0x1.1a62633145c07p-54;
  const TwoDoubles product = exact_product(f_high, half_pi);
  const double rest =
      double_fma(f_high, half_pi_low, double_fma(f_low, half_pi, product.low));
  *r = product.high + rest;
  *tail = (product.high - *r) + rest;
  if (negative) {
    *r = -*r;
    *tail = -*tail;
  }
  return quotient;
}

// r + tail = x − q · π/2, |r| ≤ π/4; returns q mod 4. x ≥ 0, finite.
INLINE int reduce(double x, double *r, double *tail) {
  if (x <= 0.7853981633974483) {
    *r = x;
    *tail = 0;
    return 0;
  }
  if (x >= 0x1p20) return reduce_large(x, r, tail);
  // 33 + 33 + 53 bits of π/2: the first two products are exact.
  const double magic = 0x1.8p52;
  const double n = double_fma(x, 0.6366197723675814, magic) - magic;
  const double a = double_fma(n, -0x1.921fb544p0, x);
  const TwoDoubles b = exact_sum(a, -n * 0x1.0b4611a6p-34);
  const double rest = double_fma(n, -0x1.3198a2e037073p-69, b.low);
  *r = b.high + rest;
  *tail = (b.high - *r) + rest;
  return (int)((int64_t)n & 3);
}

static double double_sin(double x) {
  const double size = __builtin_fabs(x);
  if (!(size < __builtin_inf())) return __builtin_nan("");
  double r, tail;
  const int quadrant = reduce(size, &r, &tail);
  double y = quadrant & 1 ? cosine_near_zero(r, tail) : sine_near_zero(r, tail);
  if (quadrant & 2) y = -y;
  return double_bits(x) >> 63 ? -y : y;
}
static double double_cos(double x) {
  const double size = __builtin_fabs(x);
  if (!(size < __builtin_inf())) return __builtin_nan("");
  double r, tail;
  const int quadrant = reduce(size, &r, &tail);
  const double y = quadrant & 1 ? sine_near_zero(r, tail) : cosine_near_zero(r, tail);
  return quadrant == 1 || quadrant == 2 ? -y : y;
}
