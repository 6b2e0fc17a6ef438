// Group and layer normalisation, softmax. Sums are taken in double: per channel over positions in
// order (group norm), or over 16 lanes and a fixed tree (the others).
#include "vector.h"

// Adds x's sums and sums of squares per channel to the totals.
static void group_sums(
    const float *x, long positions, long channels, double *sums, double *squares) {
  for (long c = 0; c < channels; c += 16) {
    const long count = channels - c;
    DoubleLanes sum = (DoubleLanes)0.0, square = (DoubleLanes)0.0;
    for (long p = 0; p < positions; p++) {
      const float *at = x + p * channels + c;
      Lanes v = count >= 16 ? lanes_load(at) : lanes_load_first(at, count, 0);
      DoubleLanes d = __builtin_convertvector(v, DoubleLanes);
      sum += d;
      square = __builtin_elementwise_fma(d, d, square);
    }
    for (long i = 0; i < minimum(count, 16); i++) {
      sums[c + i] += sum[i];
      squares[c + i] += square[i];
    }
  }
}

INLINE void scale_and_shift_with(
    KernelActivation activation, const float *x, long positions, long channels, const float *scale,
    const float *shift, float *y) {
  for (long p = 0; p < positions; p++) {
    const float *from = x + p * channels;
    float *to = y + p * channels;
    long c = 0;
    for (; c + 16 <= channels; c += 16) {
      Lanes v = lanes_fma(lanes_load(from + c), lanes_load(scale + c), lanes_load(shift + c));
      lanes_store(to + c, lanes_activate(activation, v));
    }
    if (c < channels) {
      const long count = channels - c;
      Lanes v = lanes_fma(
          lanes_load_first(from + c, count, 0), lanes_load_first(scale + c, count, 0),
          lanes_load_first(shift + c, count, 0));
      lanes_store_first(to + c, count, lanes_activate(activation, v));
    }
  }
}

#define SCALE_CASE(name) \
  case name: scale_and_shift_with(name, x, positions, channels, scale, shift, y); break;
static void scale_and_shift(
    const float *x, long positions, long channels, const float *scale, const float *shift,
    KernelActivation activation, float *y) {
  switch (activation) {
    SCALE_CASE(KernelNone)
    SCALE_CASE(KernelSiLU)
    SCALE_CASE(KernelGELU)
    SCALE_CASE(KernelGELUTanh)
    SCALE_CASE(KernelQuickGELU)
    SCALE_CASE(KernelReLU)
  }
}

static double sum_of(const float *x, long count) {
  DoubleLanes sum = (DoubleLanes)0.0;
  long i = 0;
  for (; i + 16 <= count; i += 16) sum += __builtin_convertvector(lanes_load(x + i), DoubleLanes);
  if (i < count)
    sum += __builtin_convertvector(lanes_load_first(x + i, count - i, 0), DoubleLanes);
  return doubles_sum(sum);
}

static double squared_deviations_of(const float *x, long count, double mean) {
  DoubleLanes sum = (DoubleLanes)0.0;
  long i = 0;
  for (; i + 16 <= count; i += 16) {
    DoubleLanes d = __builtin_convertvector(lanes_load(x + i), DoubleLanes) - mean;
    sum = __builtin_elementwise_fma(d, d, sum);
  }
  if (i < count) {
    DoubleLanes d = (DoubleLanes)0.0;
    for (long j = 0; j < count - i; j++) d[j] = (double)x[i + j] - mean;
    sum = __builtin_elementwise_fma(d, d, sum);
  }
  return doubles_sum(sum);
}

static void layer_norm(
    const float *x, long rows, long columns, const float *weight, const float *bias, float epsilon,
    float *y) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    float *to = y + r * columns;
    const double mean = sum_of(from, columns) / (double)columns;
    const double variance = squared_deviations_of(from, columns, mean) / (double)columns;
    const float centre = (float)mean;
    const float scale = (float)(1.0 / __builtin_sqrt(variance + (double)epsilon));
    for (long c = 0; c < columns; c += 16) {
      const long count = columns - c;
      const bool whole = count >= 16;
      Lanes v = whole ? lanes_load(from + c) : lanes_load_first(from + c, count, 0);
      Lanes w = whole ? lanes_load(weight + c) : lanes_load_first(weight + c, count, 0);
      Lanes b = whole ? lanes_load(bias + c) : lanes_load_first(bias + c, count, 0);
      v = lanes_fma((v - centre) * scale, w, b);
      if (whole) lanes_store(to + c, v);
      else lanes_store_first(to + c, count, v);
    }
  }
}

static void softmax(const float *x, long rows, long columns, float *y) {
  const float lowest = -__builtin_inff();
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    float *to = y + r * columns;
    Lanes highest = lanes_all(lowest), sum = lanes_all(0.0f);
    const long whole = columns / 16 * 16, rest = columns - whole;
    for (long c = 0; c < whole; c += 16) highest = lanes_max(highest, lanes_load(from + c));
    Lanes tail = lanes_load_first(from + whole, rest, lowest);
    const float top = lanes_highest(lanes_max(highest, tail));
    for (long c = 0; c < whole; c += 16) {
      Lanes e = lanes_exp_nonpositive(lanes_load(from + c) - top);
      sum += e;
      lanes_store(to + c, e);
    }
    tail = lanes_exp_nonpositive(tail - top);
    const Lanes total = lanes_all(lanes_sum(sum + tail));
    for (long c = 0; c < whole; c += 16) lanes_store(to + c, lanes_load(to + c) / total);
    lanes_store_first(to + whole, rest, tail / total);
  }
}
