// Elementwise operations over contiguous floats.
#include "vector.h"

INLINE void activate_with(KernelActivation activation, const float *x, long count, float *y) {
  long i = 0;
  for (; i + 16 <= count; i += 16)
    lanes_store(y + i, lanes_activate(activation, lanes_load(x + i)));
  if (i < count)
    lanes_store_first(
        y + i, count - i, lanes_activate(activation, lanes_load_first(x + i, count - i, 0)));
}

static void activate(KernelActivation activation, const float *x, long count, float *y) {
  switch (activation) {
    case KernelNone: memmove(y, x, count * sizeof(float)); break;
    case KernelSiLU: activate_with(KernelSiLU, x, count, y); break;
    case KernelGELU: activate_with(KernelGELU, x, count, y); break;
    case KernelGELUTanh: activate_with(KernelGELUTanh, x, count, y); break;
    case KernelQuickGELU: activate_with(KernelQuickGELU, x, count, y); break;
    case KernelReLU: activate_with(KernelReLU, x, count, y); break;
  }
}

static void gated_gelu(const float *x, long rows, long n, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *value = x + r * 2 * n, *gate = value + n;
    float *to = y + r * n;
    long i = 0;
    for (; i + 16 <= n; i += 16)
      lanes_store(to + i, lanes_load(value + i) * lanes_gelu(lanes_load(gate + i)));
    if (i < n)
      lanes_store_first(
          to + i, n - i,
          lanes_load_first(value + i, n - i, 0) * lanes_gelu(lanes_load_first(gate + i, n - i, 0)));
  }
}

INLINE float binary_one(KernelBinary operation, float a, float b) {
  switch (operation) {
    case KernelAdd: return a + b;
    case KernelSubtract: return a - b;
    case KernelMultiply: return a * b;
    case KernelDivide: return a / b;
  }
}
INLINE void binary_with(
    KernelBinary operation, const float *a, long stride_a, const float *b, long stride_b,
    long count, float *y) {
  if (stride_a == 1 && stride_b == 1)
    for (long i = 0; i < count; i++) y[i] = binary_one(operation, a[i], b[i]);
  else
    for (long i = 0; i < count; i++)
      y[i] = binary_one(operation, a[i * stride_a], b[i * stride_b]);
}
static void binary(
    KernelBinary operation, const float *a, long stride_a, const float *b, long stride_b,
    long count, float *y) {
  switch (operation) {
    case KernelAdd: binary_with(KernelAdd, a, stride_a, b, stride_b, count, y); break;
    case KernelSubtract: binary_with(KernelSubtract, a, stride_a, b, stride_b, count, y); break;
    case KernelMultiply: binary_with(KernelMultiply, a, stride_a, b, stride_b, count, y); break;
    case KernelDivide: binary_with(KernelDivide, a, stride_a, b, stride_b, count, y); break;
  }
}

static void combine(float a, const float *x, float b, const float *z, long count, float *y) {
  for (long i = 0; i < count; i++) y[i] = __builtin_fmaf(a, x[i], b * z[i]);
}

static void unary(KernelUnary operation, const float *x, long count, float *y) {
  switch (operation) {
    case KernelExp: for (long i = 0; i < count; i++) y[i] = (float)double_exp(x[i]); break;
    case KernelLog: for (long i = 0; i < count; i++) y[i] = (float)double_log(x[i]); break;
    case KernelSqrt: for (long i = 0; i < count; i++) y[i] = __builtin_sqrtf(x[i]); break;
    case KernelAbs: for (long i = 0; i < count; i++) y[i] = __builtin_fabsf(x[i]); break;
    case KernelSin: for (long i = 0; i < count; i++) y[i] = (float)double_sin(x[i]); break;
    case KernelCos: for (long i = 0; i < count; i++) y[i] = (float)double_cos(x[i]); break;
    case KernelTanh: for (long i = 0; i < count; i++) y[i] = (float)double_tanh(x[i]); break;
    case KernelErf: for (long i = 0; i < count; i++) y[i] = (float)double_erf(x[i]); break;
    case KernelNegate: for (long i = 0; i < count; i++) y[i] = -x[i]; break;
  }
}
