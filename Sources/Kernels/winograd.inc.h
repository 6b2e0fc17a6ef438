// Winograd's minimal filtering F(2×2, 3×3) (Lavin & Gray, arXiv 1509.09308): 4 × 4 input tiles, two
// apart, 16 products in place of 36. Here the transforms; the products are the ordinary kernel.
#include "vector.h"

// Bᵀ d along one axis.
#define WINOGRAD_INPUT(to, step, d0, d1, d2, d3) \
  (to)[0] = (d0) - (d2);                         \
  (to)[step] = (d1) + (d2);                      \
  (to)[2 * (step)] = (d2) - (d1);                \
  (to)[3 * (step)] = (d1) - (d3)

// in: 16 places of one channel block, row by row. Writes 16 values `stride` floats apart.
INLINE void transform_tile(const float *const *in, long c, long count, float *v, long stride) {
  Lanes d[16], t[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++)
    d[i] = count >= 16 ? lanes_load(in[i] + c) : lanes_load_first(in[i] + c, count, 0);
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    WINOGRAD_INPUT(t + j, 4, d[j], d[4 + j], d[8 + j], d[12 + j]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    WINOGRAD_INPUT(d + 4 * i, 1, t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) {
    if (count >= 16) lanes_store(v + i * stride + c, d[i]);
    else lanes_store_first(v + i * stride + c, count, d[i]);
  }
}

// Tiles first ..< first + count to v [16][count][inputs]; `zeros` holds one pixel of zeros.
static void winograd_input(
    const KernelConvolution *g, long first, long count, const float *zeros, float *v) {
  const long across = (g->output_width + 1) / 2, down = (g->output_height + 1) / 2;
  for (long t = 0; t < count; t++) {
    const long tile = first + t, sample = tile / (across * down);
    const long top = tile % (across * down) / across * 2 - g->top;
    const long left = tile % across * 2 - g->left;
    const float *x = g->x + sample * g->height * g->width * g->layer.inputs;
    const float *in[16];
    for (int i = 0; i < 16; i++) {
      const long h = top + i / 4, w = left + i % 4;
      const bool inside = h >= 0 && h < g->height && w >= 0 && w < g->width;
      in[i] = inside ? x + (h * g->width + w) * g->layer.inputs : zeros;
    }
    for (long c = 0; c < g->layer.inputs; c += 16)
      transform_tile(in, c, g->layer.inputs - c, v + t * g->layer.inputs, count * g->layer.inputs);
  }
}

// Aᵀ m A, then the bias, the sample's own vector and the residual.
INLINE void finish_tile(
    const KernelConvolution *g, const float *m, long stride, long c, const float *per_sample,
    const float *residual, float *y, long rows, long columns) {
  const long count = g->layer.outputs - c;
  const long pixel = g->layer.outputs, row = g->output_width * g->layer.outputs;
  Lanes a[16], s[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) a[i] = lanes_load(m + i * stride + c);
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    s[j] = a[j] + (a[4 + j] + a[8 + j]);
    s[4 + j] = (a[4 + j] - a[8 + j]) - a[12 + j];
  }
  const bool whole = count >= 16;
  Lanes extra = lanes_all(0);
  if (g->bias) extra = whole ? lanes_load(g->bias + c) : lanes_load_first(g->bias + c, count, 0);
  const bool own = per_sample != 0;
  Lanes mine = lanes_all(0);
  if (own) mine = whole ? lanes_load(per_sample + c) : lanes_load_first(per_sample + c, count, 0);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    if (i >= rows) break;
#pragma clang loop unroll(full)
    for (int j = 0; j < 2; j++) {
      if (j >= columns) break;
      const Lanes *q = s + 4 * i;
      Lanes value = j == 0 ? q[0] + (q[1] + q[2]) : (q[1] - q[2]) - q[3];
      const long at = i * row + j * pixel + c;
      if (g->bias) value += extra;
      if (own) value += mine;
      if (residual)
        value += whole ? lanes_load(residual + at) : lanes_load_first(residual + at, count, 0);
      if (whole) lanes_store(y + at, value);
      else lanes_store_first(y + at, count, value);
    }
  }
}

// m [16][count][padded]
static void winograd_output(
    const KernelConvolution *g, long first, long count, const float *m, long padded) {
  const long across = (g->output_width + 1) / 2, down = (g->output_height + 1) / 2;
  for (long t = 0; t < count; t++) {
    const long tile = first + t, sample = tile / (across * down);
    const long h = tile % (across * down) / across * 2, w = tile % across * 2;
    const long at = ((sample * g->output_height + h) * g->output_width + w) * g->layer.outputs;
    for (long c = 0; c < g->layer.outputs; c += 16)
      finish_tile(
          g, m + t * padded, count * padded, c,
          g->per_sample ? g->per_sample + sample * g->layer.outputs : 0,
          g->residual ? g->residual + at : 0, g->y + at, g->output_height - h,
          g->output_width - w);
  }
}
