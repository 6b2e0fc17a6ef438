// Elementary functions in double, below 1 ulp (pow below 2): fdlibm's and Taylor polynomials with
// every fused operation spelled out. Only fma, sqrt, floor and the four operations are used.
#include "vector.h"

INLINE double double_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
INLINE uint64_t double_bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
INLINE double double_from_bits(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}
// 2ⁿ for −1022 ≤ n ≤ 1023
INLINE double power_of_two(int64_t n) { return double_from_bits((uint64_t)(n + 1023) << 52); }
INLINE double polynomial(double x, const double *coefficients, int count) {
  double p = coefficients[0];
  for (int i = 1; i < count; i++) p = double_fma(p, x, coefficients[i]);
  return p;
}

static const double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;

// e^(x + low): n = round(x / ln 2), the Taylor series on |f| ≤ ln 2 / 2, one rounding at the end.
static double double_exp_sum(double x, double low) {
  if (!(x < 709.79)) return x != x ? x : x >= 709.79 ? __builtin_inf() : x;
  if (x < -745.14) return 0;
  static const double taylor[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
      1.0 / 5040,       1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
  const double magic = 0x1.8p52;
  const double n = double_fma(x, 1.4426950408889634, magic) - magic;
  const double high = double_fma(n, -ln2_high, x), rest = double_fma(n, -ln2_low, low);
  const double f = high + rest;
  const double tail = (high - f) + rest;
  const double p = double_fma(f * f, polynomial(f, taylor, 12), tail);
  const double value = 1.0 + (f + p);
  const int64_t power = (int64_t)n, half = power / 2;
  return value * power_of_two(half) * power_of_two(power - half);
}
static double double_exp(double x) { return double_exp_sum(x, 0); }

// x = m · 2^e with m in [√½, √2); x positive and finite.
INLINE double split_exponent(double x, int64_t *exponent) {
  int64_t e = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    e = -54;
  }
  uint64_t u = double_bits(x) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  e += (int64_t)(u >> 52) - 1023;
  *exponent = e;
  return double_from_bits((u & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
}
INLINE bool log_is_special(double x, double *result) {
  if (x > 0 && x < __builtin_inf()) return false;
  *result = x == 0 ? -__builtin_inf() : x > 0 ? x : __builtin_nan("");
  return true;
}

// fdlibm's e_log.c.
static double double_log(double x) {
  double special;
  if (log_is_special(x, &special)) return special;
  static const double series[] = {1.479819860511658591e-01, 1.531383769920937332e-01,
                                  1.818357216161805012e-01, 2.222219843214978396e-01,
                                  2.857142874366239149e-01, 3.999999999940941908e-01,
                                  6.666666666666735130e-01};
  int64_t e;
  const double f = split_exponent(x, &e) - 1.0, n = (double)e;
  const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
  const double r = z * polynomial(z, series, 7);
  return n * ln2_high - ((half_square - (s * (half_square + r) + n * ln2_low)) - f);
}

typedef struct TwoDoubles {
  double high, low;
} TwoDoubles;
INLINE TwoDoubles exact_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return (TwoDoubles){s, (a - (s - t)) + (b - t)};
}
INLINE TwoDoubles exact_product(double a, double b) {
  const double p = a * b;
  return (TwoDoubles){p, double_fma(a, b, -p)};
}

// log x to about 2⁻⁶⁸: the series 2s + 2s³/3 + 2s⁵/5 … with its first two terms in two doubles.
static TwoDoubles log_in_two(double x) {
  int64_t e;
  const double m = split_exponent(x, &e), n = (double)e;
  const double f = m - 1.0;
  const TwoDoubles d = exact_sum(2.0, f);
  const double s = f / d.high;
  const double s_low = double_fma(-s, d.low, double_fma(-s, d.high, f)) / d.high;
  const TwoDoubles z = exact_product(s, s);
  const double z_low = double_fma(2 * s, s_low, z.low);
  const TwoDoubles cube = exact_product(s, z.high);
  const double cube_low = double_fma(s_low, z.high, double_fma(s, z_low, cube.low));
  static const double series[] = {2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15,
                                  2.0 / 13, 2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5};
  const double rest = cube.high * z.high * polynomial(z.high, series, 10);
  // 2/3 in two doubles
  const double third = 0x1.5555555555555p-1, third_low = 0x1.5555555555555p-55;
  const TwoDoubles term = exact_product(cube.high, third);
  const double term_low = double_fma(cube.high, third_low, double_fma(cube_low, third, term.low));
  const TwoDoubles a = exact_sum(n * ln2_high, 2 * s);
  const TwoDoubles b = exact_sum(a.high, term.high);
  const double low = ((a.low + b.low) + 2 * s_low) + ((term_low + rest) + n * ln2_low);
  return exact_sum(b.high, low);
}

// As IEEE 754's pow: x^0 = 1, 1^y = 1, negative x only with whole y.
static double double_pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return __builtin_nan("");
  const double size = __builtin_fabs(x);
  const bool whole = __builtin_floor(y) == y;
  const bool odd = whole && __builtin_fabs(y) < 0x1p53 && ((int64_t)y & 1);
  if (size == 1 && whole) return odd ? x : 1;
  if (__builtin_fabs(y) == __builtin_inf())
    return size == 1 ? 1 : ((size > 1) == (y > 0) ? __builtin_inf() : 0);
  const bool negative = (double_bits(x) >> 63) && odd;
  double result;
  if (size == 0 || size == __builtin_inf()) {
    result = ((size == 0) == (y < 0)) ? __builtin_inf() : 0;
  } else {
    if (x < 0 && !whole) return __builtin_nan("");
    const TwoDoubles l = log_in_two(size);
    const double high = y * l.high;
    if (high > 710) result = __builtin_inf();
    else if (high < -746) result = 0;
    else result = double_exp_sum(high, double_fma(y, l.low, double_fma(y, l.high, -high)));
  }
  return negative ? -result : result;
}

static double double_tanh(double x) {
  const double size = __builtin_fabs(x);
  double t;
  if (size > 22) {
    t = 1;
  } else if (size >= 0.5) {
    t = 1.0 - 2.0 / (double_exp(2 * size) + 1.0);
  } else {
    // e^y − 1 by its Taylor series
    const double y = 2 * size;
    double p = 1.0 / 21;
    for (int k = 20; k > 1; k--) p = double_fma(p * y, 1.0 / k, 1.0 / k);
    const double expm1 = double_fma(y, y * p, y);
    t = expm1 / (expm1 + 2.0);
  }
  if (x != x) return x;
  return __builtin_copysign(t, x);
}

// Coefficients: scripts/conformance/erf_coefficients.py.
static double double_erf(double x) {
  static const double near[] = {
      2.8067128195611264e-13, -6.1967364287877e-12,    9.323723518153027e-11,
      -1.2277734486795524e-09, 1.4806027146128752e-08, -1.636576864883207e-07,
      1.6462110782018636e-06, -1.4925650236967501e-05, 0.00012055332978879483,
      -0.0008548327023403001, 0.005223977625441674,    -0.026866170645131218,
      0.11283791670955126,    -0.37612638903183754,    1.1283791670955126};
  static const double middle[] = {
      1.7955431767928597e-07, -6.409316664251228e-07,  2.06241304824337e-06,
      -6.957954859174092e-06, 2.2865187808212496e-05,  -7.266219599461766e-05,
      0.00022330985450405092, -0.0006619297304232824,  0.0018861348817560994,
      -0.00514595756566068,   0.013377340952957192,    -0.03293090529915301,
      0.07615103985547814,    -0.16362291773256282,    0.3215854164543175};
  static const double far[] = {
      2.6751662613927904e-09, -1.1606175119399214e-08, 4.5473579725414893e-08,
      -1.8899321155400235e-07, 7.710105968677079e-07,  -3.0662460781270224e-06,
      1.1903368559778321e-05, -4.504374726393774e-05,  0.00016585339798383744,
      -0.0005930183723456537, 0.002054233414663634,    -0.0068749086392535675,
      0.022155102007593585,   -0.06846950572892405,    0.201887554546017};
  static const double farthest[] = {
      8.708455359978677e-12, -5.1488199775930934e-11, 2.3912471428801143e-10,
      -1.3718739188224704e-09, 7.944708198216813e-09, -4.4454172247523446e-08,
      2.4509295938077754e-07, -1.3334047658367938e-06, 7.147542069433324e-06,
      -3.7724415033736606e-05, 0.00019591797917993024, -0.0010004316584488325,
      0.005018832389954393,   -0.024712747294644406,   0.11931528862713332};
  if (x != x) return x;
  const double t = __builtin_fabs(x);
  // The last coefficient's rounding would show: 2/√π in two doubles.
  if (t <= 1) {
    const double p = polynomial(x * x, near, 14) * (x * x);
    return double_fma(x, 1.1283791670955126, x * (p + 1.533545961316588e-17));
  }
  double r = 1;
  if (t < 6) {
    const double q = t < 2      ? polynomial(t - 1.5, middle, 15)
                     : t < 3.25 ? polynomial(t - 2.625, far, 15)
                                : polynomial(t - 4.625, farthest, 15);
    r = double_fma(-double_exp(-t * t), q, 1.0);
  }
  return __builtin_copysign(r, x);
}
