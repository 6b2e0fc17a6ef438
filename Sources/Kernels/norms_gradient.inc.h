// The passes of the norms' gradients over their inputs, and those of the activations.
#include "vector.h"

// activation'(x)
INLINE Lanes lanes_slope(KernelActivation activation, Lanes x) {
  switch (activation) {
    case KernelNone: return lanes_all(1.0f);
    case KernelSiLU: {
      Lanes s = 1.0f / (1.0f + lanes_exp(-x));
      return s * lanes_fma(x, 1.0f - s, lanes_all(1.0f));
    }
    case KernelGELU: {
      Lanes density = lanes_exp_nonpositive(x * x * -0.5f) * 0.39894228040143268f;
      return lanes_fma(x, density, 0.5f * (1.0f + lanes_erf(x * 0.70710678118654752f)));
    }
    case KernelGELUTanh: {
      Lanes square = x * x;
      Lanes t = lanes_tanh(
          lanes_fma(square * x, lanes_all(0.044715f), x) * 0.79788456080286536f);
      Lanes inner = lanes_fma(square, lanes_all(3 * 0.044715f), lanes_all(1.0f));
      return lanes_fma(
          0.5f * x * (1.0f - t * t), inner * 0.79788456080286536f, 0.5f * (1.0f + t));
    }
    case KernelQuickGELU: {
      Lanes s = 1.0f / (1.0f + lanes_exp(x * -1.702f));
      return s * lanes_fma(x * 1.702f, 1.0f - s, lanes_all(1.0f));
    }
    case KernelReLU: return x > lanes_all(0.0f) ? lanes_all(1.0f) : lanes_all(0.0f);
  }
}

INLINE Lanes lanes_load_some(const float *p, long count) {
  return count >= 16 ? lanes_load(p) : lanes_load_first(p, count, 0);
}
INLINE void lanes_store_some(float *p, long count, Lanes x) {
  if (count >= 16) lanes_store(p, x);
  else lanes_store_first(p, count, x);
}

INLINE void slope_with(
    KernelActivation activation, const float *x, const float *dy, long count, float *dx) {
  for (long i = 0; i < count; i += 16) {
    const long some = count - i;
    Lanes slope = lanes_slope(activation, lanes_load_some(x + i, some));
    lanes_store_some(dx + i, some, lanes_load_some(dy + i, some) * slope);
  }
}

// dz = dy · activation'(scale · x + shift) to dx, and its sums, and those of dz · x, per channel.
INLINE void normalised_slope_with(
    KernelActivation activation, const float *x, const float *dy, long positions, long channels,
    const float *scale, const float *shift, float *dx, double *sums, double *products) {
  for (long c = 0; c < channels; c += 16) {
    const long count = channels - c;
    const Lanes a = lanes_load_some(scale + c, count), b = lanes_load_some(shift + c, count);
    DoubleLanes sum = (DoubleLanes)0.0, product = (DoubleLanes)0.0;
    for (long p = 0; p < positions; p++) {
      const long at = p * channels + c;
      Lanes v = lanes_load_some(x + at, count), z = lanes_load_some(dy + at, count);
      if (activation != KernelNone) z = z * lanes_slope(activation, lanes_fma(v, a, b));
      lanes_store_some(dx + at, count, z);
      DoubleLanes d = __builtin_convertvector(z, DoubleLanes);
      sum += d;
      product = __builtin_elementwise_fma(d, __builtin_convertvector(v, DoubleLanes), product);
    }
    for (long i = 0; i < minimum(count, 16); i++) {
      sums[c + i] = sum[i];
      products[c + i] = product[i];
    }
  }
}

#define SLOPE_CASE(name) case name: slope_with(name, x, dy, count, dx); break;
static void activation_slope(
    KernelActivation activation, const float *x, const float *dy, long count, float *dx) {
  switch (activation) {
    SLOPE_CASE(KernelNone)
    SLOPE_CASE(KernelSiLU)
    SLOPE_CASE(KernelGELU)
    SLOPE_CASE(KernelGELUTanh)
    SLOPE_CASE(KernelQuickGELU)
    SLOPE_CASE(KernelReLU)
  }
}

#define NORMALISED_CASE(name)                                                        \
  case name:                                                                         \
    normalised_slope_with(                                                           \
        name, x, dy, positions, channels, scale, shift, dx, sums, products);         \
    break;
static void normalised_slope(
    KernelActivation activation, const float *x, const float *dy, long positions, long channels,
    const float *scale, const float *shift, float *dx, double *sums, double *products) {
  switch (activation) {
    NORMALISED_CASE(KernelNone)
    NORMALISED_CASE(KernelSiLU)
    NORMALISED_CASE(KernelGELU)
    NORMALISED_CASE(KernelGELUTanh)
    NORMALISED_CASE(KernelQuickGELU)
    NORMALISED_CASE(KernelReLU)
  }
}

// dx = scale · dx + (slope · x + offset) (+ residual), per channel.
static void combine_gradient(
    const float *x, long positions, long channels, const float *scale, const float *slope,
    const float *offset, const float *residual, float *dx) {
  for (long p = 0; p < positions; p++)
    for (long c = 0; c < channels; c += 16) {
      const long at = p * channels + c, count = channels - c;
      Lanes inner = lanes_fma(
          lanes_load_some(x + at, count), lanes_load_some(slope + c, count),
          lanes_load_some(offset + c, count));
      Lanes v = lanes_fma(
          lanes_load_some(dx + at, count), lanes_load_some(scale + c, count), inner);
      if (residual) v += lanes_load_some(residual + at, count);
      lanes_store_some(dx + at, count, v);
    }
}

static void gated_gelu_slope(const float *x, const float *dy, long rows, long n, float *dx) {
  for (long r = 0; r < rows; r++) {
    const float *value = x + r * 2 * n, *gate = value + n, *d = dy + r * n;
    float *to = dx + r * 2 * n;
    for (long i = 0; i < n; i += 16) {
      const long some = n - i;
      Lanes g = lanes_load_some(gate + i, some), dl = lanes_load_some(d + i, some);
      Lanes v = lanes_load_some(value + i, some);
      lanes_store_some(to + i, some, dl * lanes_gelu(g));
      lanes_store_some(to + n + i, some, dl * v * lanes_slope(KernelGELU, g));
    }
  }
}

static void layer_norm_slope(
    const float *x, const float *dy, long rows, long columns, const float *weight, float epsilon,
    const float *residual, float *dx) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns, *d = dy + r * columns;
    const double mean = sum_of(from, columns) / (double)columns;
    const double variance = squared_deviations_of(from, columns, mean) / (double)columns;
    const float centre = (float)mean;
    const float scale = (float)(1.0 / __builtin_sqrt(variance + (double)epsilon));
    DoubleLanes sum = (DoubleLanes)0.0, product = (DoubleLanes)0.0;
    for (long c = 0; c < columns; c += 16) {
      const long some = columns - c;
      Lanes z = lanes_load_some(d + c, some) * lanes_load_some(weight + c, some);
      Lanes n = (lanes_load_some(from + c, some) - centre) * scale;
      DoubleLanes wide = __builtin_convertvector(z, DoubleLanes);
      sum += wide;
      product = __builtin_elementwise_fma(wide, __builtin_convertvector(n, DoubleLanes), product);
    }
    const float mean_z = (float)(doubles_sum(sum) / (double)columns);
    const float mean_product = (float)(doubles_sum(product) / (double)columns);
    for (long c = 0; c < columns; c += 16) {
      const long some = columns - c;
      Lanes z = lanes_load_some(d + c, some) * lanes_load_some(weight + c, some);
      Lanes n = (lanes_load_some(from + c, some) - centre) * scale;
      Lanes v = lanes_fma(n, lanes_all(-mean_product), z - mean_z) * scale;
      if (residual) v += lanes_load_some(residual + r * columns + c, some);
      lanes_store_some(dx + r * columns + c, some, v);
    }
  }
}
