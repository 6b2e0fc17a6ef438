// exp, erf, tanh and the activations over sixteen float lanes. Polynomials with every fused
// operation spelled out, so that the bits are the same on every processor.
#include "vector.h"

// e^f for |f| ≤ ln 2 / 2, Cephes' polynomial.
INLINE Lanes exp_polynomial(Lanes f) {
  Lanes p = lanes_all(1.9875691500e-4f);
  p = lanes_fma(p, f, lanes_all(1.3981999507e-3f));
  p = lanes_fma(p, f, lanes_all(8.3334519073e-3f));
  p = lanes_fma(p, f, lanes_all(4.1665795894e-2f));
  p = lanes_fma(p, f, lanes_all(1.6666665459e-1f));
  p = lanes_fma(p, f, lanes_all(5.0000001201e-1f));
  return lanes_fma(p, f * f, f) + 1.0f;
}

// Cephes' expf: n = round(x / ln 2), e^f = 1 + f + f² P(f). Below 1 ulp; results
// below the normal range round once, overflow gives infinity, NaN stays NaN.
INLINE Lanes lanes_exp(Lanes x) {
  x = x < lanes_all(-104.0f) ? lanes_all(-104.0f) : x;
  x = x > lanes_all(89.0f) ? lanes_all(89.0f) : x;
  const Lanes magic = lanes_all(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  Lanes t = lanes_fma(x, lanes_all(1.44269504088896341f), magic);
  Lanes n = t - magic;
  Lanes f = lanes_fma(n, lanes_all(-0.693359375f), x);
  f = lanes_fma(n, lanes_all(2.12194440e-4f), f);
  Lanes p = exp_polynomial(f);
  IntLanes power = (IntLanes)t - (IntLanes)magic;
  IntLanes half = power >> 1;
  Lanes low = (Lanes)((half + 127) << 23), high = (Lanes)((power - half + 127) << 23);
  return p * low * high;
}

// e^x for x ≤ 0, where results below 2^−126 are 0: what softmax needs, in fewer operations.
INLINE Lanes lanes_exp_nonpositive(Lanes x) {
  x = x < lanes_all(-88.0f) ? lanes_all(-88.0f) : x;
  const Lanes magic = lanes_all(12582912.0f);
  Lanes t = lanes_fma(x, lanes_all(1.44269504088896341f), magic);
  Lanes n = t - magic;
  Lanes f = lanes_fma(n, lanes_all(-0.693359375f), x);
  f = lanes_fma(n, lanes_all(2.12194440e-4f), f);
  Lanes p = exp_polynomial(f);
  return p * (Lanes)(((IntLanes)t << 23) + (127 << 23));
}

INLINE Lanes lanes_abs(Lanes x) { return (Lanes)((IntLanes)x & 0x7fffffff); }
INLINE Lanes lanes_with_sign_of(Lanes x, Lanes sign) {
  return (Lanes)((IntLanes)x | ((IntLanes)sign & (int32_t)0x80000000));
}

// N. Juffa's erff: a minimax polynomial below 475/512, 1 − e^(polynomial) above. Below 1 ulp.
INLINE Lanes lanes_erf(Lanes x) {
  Lanes t = lanes_abs(x);
  t = t > lanes_all(4.0f) ? lanes_all(4.0f) : t;
  Lanes s = t * t;
  Lanes r = lanes_fma(lanes_all(-1.72853470e-5f), t, lanes_all(3.83197126e-4f));
  Lanes u = lanes_fma(lanes_all(-3.88396438e-3f), t, lanes_all(2.42546219e-2f));
  r = lanes_fma(r, s, u);
  r = lanes_fma(r, t, lanes_all(-1.06777877e-1f));
  r = lanes_fma(r, t, lanes_all(-6.34846687e-1f));
  r = lanes_fma(r, t, lanes_all(-1.28717512e-1f));
  r = lanes_fma(r, t, -t);
  Lanes outer = lanes_with_sign_of(1.0f - lanes_exp(r), x);
  Lanes q = lanes_all(-5.96761703e-4f);
  q = lanes_fma(q, s, lanes_all(4.99119423e-3f));
  q = lanes_fma(q, s, lanes_all(-2.67681349e-2f));
  q = lanes_fma(q, s, lanes_all(1.12819925e-1f));
  q = lanes_fma(q, s, lanes_all(-3.76125336e-1f));
  q = lanes_fma(q, s, lanes_all(1.28379166e-1f));
  q = lanes_fma(q, x, x);
  return t > lanes_all(0.927734375f) ? outer : q;
}

// Cephes' tanhf: an odd polynomial below 0.625, 1 − 2 / (e^2x + 1) above.
INLINE Lanes lanes_tanh(Lanes x) {
  Lanes t = lanes_abs(x);
  Lanes outer = 1.0f - 2.0f / (lanes_exp(t + t) + 1.0f);
  Lanes s = x * x;
  Lanes p = lanes_all(-5.70498872745e-3f);
  p = lanes_fma(p, s, lanes_all(2.06390887954e-2f));
  p = lanes_fma(p, s, lanes_all(-5.37397155531e-2f));
  p = lanes_fma(p, s, lanes_all(1.33314422036e-1f));
  p = lanes_fma(p, s, lanes_all(-3.33332819422e-1f));
  p = lanes_fma(p * s, x, x);
  return t > lanes_all(0.625f) ? lanes_with_sign_of(outer, x) : p;
}

INLINE Lanes lanes_gelu(Lanes x) {
  Lanes e = lanes_erf(x * 0.70710678118654752f);
  return (0.5f * x) * (1.0f + e);
}
INLINE Lanes lanes_gelu_tanh(Lanes x) {
  Lanes inner = lanes_fma(x * x * x, lanes_all(0.044715f), x) * 0.79788456080286536f;
  return (0.5f * x) * (1.0f + lanes_tanh(inner));
}
INLINE Lanes lanes_silu(Lanes x) { return x / (1.0f + lanes_exp(-x)); }
INLINE Lanes lanes_quick_gelu(Lanes x) { return x / (1.0f + lanes_exp(x * -1.702f)); }
INLINE Lanes lanes_relu(Lanes x) { return x < lanes_all(0.0f) ? lanes_all(0.0f) : x; }

// The switch is outside the loops of the callers: `activation` is a constant there.
INLINE Lanes lanes_activate(KernelActivation activation, Lanes x) {
  switch (activation) {
    case KernelNone: return x;
    case KernelSiLU: return lanes_silu(x);
    case KernelGELU: return lanes_gelu(x);
    case KernelGELUTanh: return lanes_gelu_tanh(x);
    case KernelQuickGELU: return lanes_quick_gelu(x);
    case KernelReLU: return lanes_relu(x);
  }
}
