// Winograd's minimal filtering (Lavin & Gray, arXiv 1509.09308), here the transforms of F(2×2, 3×3)
// and F(4×4, 3×3): tiles of m + 2 places a side, m apart, (m + 2)² products in place of 9 m². The
// products are the ordinary kernel. The multiples of 2, 4 and 8 are exact, so fused or not they
// round alike; 5 is made of 4 + 1.
#include "vector.h"

// Bᵀ d along one axis: m + 2 values, `step` apart.
INLINE void input_line(const int m, const Lanes *d, long from, Lanes *to, long step) {
  const Lanes d0 = d[0], d1 = d[from], d2 = d[2 * from], d3 = d[3 * from];
  if (m == 2) {
    to[0] = d0 - d2;
    to[step] = d1 + d2;
    to[2 * step] = d2 - d1;
    to[3 * step] = d1 - d3;
    return;
  }
  const Lanes d4 = d[4 * from], d5 = d[5 * from], two = lanes_all(2), four = lanes_all(4);
  const Lanes outer = lanes_fma(-four, d2, d4), inner = lanes_fma(-four, d1, d3);
  const Lanes even = d4 - d2, odd = two * (d3 - d1);
  to[0] = lanes_fma(four, d0 - d2, even);
  to[step] = outer + inner;
  to[2 * step] = outer - inner;
  to[3 * step] = even + odd;
  to[4 * step] = even - odd;
  to[5 * step] = lanes_fma(four, d1 - d3, d5 - d3);
}

// Aᵀ a along one axis: m values.
INLINE void output_line(const int m, const Lanes *a, long from, Lanes *to, long step) {
  const Lanes sum = a[from] + a[2 * from], difference = a[from] - a[2 * from];
  if (m == 2) {
    to[0] = a[0] + sum;
    to[step] = difference - a[3 * from];
    return;
  }
  const Lanes sum2 = a[3 * from] + a[4 * from], difference2 = a[3 * from] - a[4 * from];
  to[0] = (a[0] + sum) + sum2;
  to[step] = lanes_fma(lanes_all(2), difference2, difference);
  to[2 * step] = lanes_fma(lanes_all(4), sum2, sum);
  to[3 * step] = lanes_fma(lanes_all(8), difference2, difference) + a[5 * from];
}

INLINE void store_first_halves(uint16_t *p, long count, Lanes x) {
  uint16_t halves[16];
  lanes_store_halves(halves, x);
  memcpy(p, halves, (size_t)count * sizeof *p);
}

// in: the places of one channel block, row by row. Writes as many values `stride` floats apart.
INLINE void transform_tile(
    const int m, const bool halves, const float *const *in, long c, long count, float *v, long stride) {
  const int n = m + 2;
  Lanes d[MostPlaces], t[MostPlaces];
#pragma clang loop unroll(full)
  for (int i = 0; i < n * n; i++)
    d[i] = count >= 16 ? lanes_load(in[i] + c) : lanes_load_first(in[i] + c, count, 0);
#pragma clang loop unroll(full)
  for (int j = 0; j < n; j++) input_line(m, d + j, n, t + j, n);
#pragma clang loop unroll(full)
  for (int i = 0; i < n; i++) input_line(m, t + n * i, 1, d + n * i, 1);
#pragma clang loop unroll(full)
  for (int i = 0; i < n * n; i++) {
    if (halves && count >= 16) lanes_store_halves((uint16_t *)(v + i * stride) + c, d[i]);
    else if (halves) store_first_halves((uint16_t *)(v + i * stride) + c, count, d[i]);
    else if (count >= 16) lanes_store(v + i * stride + c, d[i]);
    else lanes_store_first(v + i * stride + c, count, d[i]);
  }
}

INLINE void input_tiles(
    const int m, const bool halves, const KernelConvolution *g, long first, long count, const float *zeros, float *v,
    long row, long stride) {
  const int n = m + 2;
  const long across = (g->output_width + m - 1) / m, down = (g->output_height + m - 1) / m;
  const long inputs = g->layer.inputs;
  for (long t = 0; t < count; t++) {
    const long tile = first + t, sample = tile / (across * down);
    const long top = tile % (across * down) / across * m - g->top;
    const long left = tile % across * m - g->left;
    const float *x = g->x + sample * g->height * g->width * inputs;
    const float *in[MostPlaces];
    for (int i = 0; i < n * n; i++) {
      const long h = top + i / n, w = left + i % n;
      const bool inside = h >= 0 && h < g->height && w >= 0 && w < g->width;
      in[i] = inside ? x + (h * g->width + w) * inputs : zeros;
    }
    long c = 0;
    for (; c + 16 <= inputs; c += 16) transform_tile(m, halves, in, c, 16, v + t * row, stride);
    if (c < inputs) transform_tile(m, halves, in, c, inputs - c, v + t * row, stride);
  }
}

// Tiles first ..< first + count to v [places][count][inputs], tiles `row` and places `stride` floats
// apart; `zeros` holds one pixel of zeros.
static void winograd_input(
    const KernelConvolution *g, int m, long first, long count, const float *zeros, float *v,
    long row, long stride) {
  if (g->layer.bfloat16) input_tiles(2, true, g, first, count, zeros, v, row, stride);
  else if (m == 2) input_tiles(2, false, g, first, count, zeros, v, row, stride);
  else input_tiles(4, false, g, first, count, zeros, v, row, stride);
}

// One tile's m × m values of the channels from c: then the bias, the sample's own vector and the
// residual.
INLINE void finish_tile(
    const int m, const KernelConvolution *g, const float *a, long stride, long c, long count,
    const float *per_sample, const float *residual, float *y, long rows, long columns) {
  const int n = m + 2;
  const long pixel = g->layer.outputs, row = g->output_width * g->layer.outputs;
  const bool whole = count >= 16;
  Lanes d[MostPlaces], s[MostPlaces];
#pragma clang loop unroll(full)
  for (int i = 0; i < n * n; i++) d[i] = lanes_load(a + i * stride + c);
#pragma clang loop unroll(full)
  for (int j = 0; j < n; j++) output_line(m, d + j, n, s + j, n);
  Lanes bias = lanes_all(0), own = lanes_all(0);
  if (g->bias) bias = whole ? lanes_load(g->bias + c) : lanes_load_first(g->bias + c, count, 0);
  if (per_sample)
    own = whole ? lanes_load(per_sample + c) : lanes_load_first(per_sample + c, count, 0);
#pragma clang loop unroll(full)
  for (int i = 0; i < m; i++) {
    if (i >= rows) break;
    Lanes values[4];
    output_line(m, s + n * i, 1, values, 1);
#pragma clang loop unroll(full)
    for (int j = 0; j < m; j++) {
      if (j >= columns) break;
      const long at = i * row + j * pixel + c;
      Lanes value = values[j];
      if (g->bias) value += bias;
      if (per_sample) value += own;
      if (residual)
        value += whole ? lanes_load(residual + at) : lanes_load_first(residual + at, count, 0);
      if (whole) lanes_store(y + at, value);
      else lanes_store_first(y + at, count, value);
    }
  }
}

INLINE void output_tiles(
    const int m, const KernelConvolution *g, long first, long count, const float *a, long row,
    long stride) {
  const long across = (g->output_width + m - 1) / m, down = (g->output_height + m - 1) / m;
  const long outputs = g->layer.outputs;
  for (long t = 0; t < count; t++) {
    const long tile = first + t, sample = tile / (across * down);
    const long h = tile % (across * down) / across * m, w = tile % across * m;
    const long at = ((sample * g->output_height + h) * g->output_width + w) * outputs;
    const float *per_sample = g->per_sample ? g->per_sample + sample * outputs : 0;
    const float *residual = g->residual ? g->residual + at : 0;
    const long rows = g->output_height - h, columns = g->output_width - w;
    long c = 0;
    for (; c + 16 <= outputs; c += 16)
      finish_tile(
          m, g, a + t * row, stride, c, 16, per_sample, residual, g->y + at, rows, columns);
    if (c < outputs)
      finish_tile(
          m, g, a + t * row, stride, c, outputs - c, per_sample, residual, g->y + at, rows,
          columns);
  }
}

// a [places][count][outputs], tiles `row` and places `stride` floats apart, to y.
static void winograd_output(
    const KernelConvolution *g, int m, long first, long count, const float *a, long row,
    long stride) {
  if (m == 2) output_tiles(2, g, first, count, a, row, stride);
  else output_tiles(4, g, first, count, a, row, stride);
}
