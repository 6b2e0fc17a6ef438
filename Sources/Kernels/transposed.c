// Packed weights the other way round, made from the packed ones: nothing else is kept of them.
#include <string.h>

#include "include/gradients.h"
#include "table.h"

// Where output `row` of a packed matrix lies, and the floats from one k to the next.
static const float *packed_row(const float *packed, long n, long k, long row, long *stride) {
  const long vector = row / 16, odd = (n + 15) / 16 % 2;
  const long panel = vector < 2 + odd ? 0 : (vector - odd) / 2;
  const long column = panel_start(n, panel) * 16;
  *stride = panel_width(n, panel) * 16;
  return packed + column * k + (row - column);
}

void kernel_unpack_rows(const float *packed, long n, long k, float *rows) {
  for (long row = 0; row < n; row++) {
    long stride;
    const float *from = packed_row(packed, n, k, row, &stride);
    for (long i = 0; i < k; i++) rows[row * k + i] = from[i * stride];
  }
}

ConvolutionLayer kernel_convolution_transposed(const ConvolutionLayer *layer) {
  return (ConvolutionLayer){
      layer->outputs, layer->inputs, layer->kernel_height, layer->kernel_width, 1};
}

// The transform G g Gᵀ of a filter turned by 180° is that of g with rows and columns in the order
// 3, 1, 2, 0.
static int turned(int place) {
  static const int order[4] = {3, 1, 2, 0};
  return 4 * order[place / 4] + order[place % 4];
}

static void transpose_winograd(const ConvolutionLayer *layer, const float *packed, float *to) {
  const long from_stride = kernel_packed_count(layer->outputs, layer->inputs);
  const long to_stride = kernel_packed_count(layer->inputs, layer->outputs);
  float *u = kernel_allocate(layer->outputs * layer->inputs);
  for (int place = 0; place < 16; place++) {
    kernel_unpack_rows(packed + turned(place) * from_stride, layer->outputs, layer->inputs, u);
    kernel_pack_columns(u, layer->outputs, layer->inputs, to + place * to_stride);
  }
  kernel_release(u, layer->outputs * layer->inputs);
}

// g from u = G g Gᵀ along one axis: the outer taps are entries, the middle one a difference.
static void undo_winograd(const float u[16], float g[9]) {
  double t[12];
  for (int i = 0; i < 4; i++) {
    t[3 * i] = u[4 * i];
    t[3 * i + 1] = (double)u[4 * i + 1] - (double)u[4 * i + 2];
    t[3 * i + 2] = u[4 * i + 3];
  }
  for (int j = 0; j < 3; j++) {
    g[j] = (float)t[j];
    g[3 + j] = (float)(t[3 + j] - t[6 + j]);
    g[6 + j] = (float)t[9 + j];
  }
}

// weights[outputs][taps][inputs] of a packed convolution.
static void unpack_filters(const ConvolutionLayer *layer, const float *packed, float *weights) {
  const long taps = layer->kernel_height * layer->kernel_width, inputs = layer->inputs;
  if (!kernel_convolution_is_winograd(layer)) {
    kernel_unpack_rows(packed, layer->outputs, taps * inputs, weights);
    return;
  }
  const long place_stride = kernel_packed_count(layer->outputs, inputs);
  for (long o = 0; o < layer->outputs; o++)
    for (long c = 0; c < inputs; c++) {
      long stride;
      const float *from = packed_row(packed, layer->outputs, inputs, o, &stride);
      float u[16], g[9];
      for (int i = 0; i < 16; i++) u[i] = from[i * place_stride + c * stride];
      undo_winograd(u, g);
      for (long tap = 0; tap < 9; tap++) weights[(o * 9 + tap) * inputs + c] = g[tap];
    }
}

void kernel_convolution_pack_transposed(
    const ConvolutionLayer *layer, const float *packed, float *transposed) {
  const ConvolutionLayer back = kernel_convolution_transposed(layer);
  if (kernel_convolution_is_winograd(layer) && kernel_convolution_is_winograd(&back)) {
    transpose_winograd(layer, packed, transposed);
    return;
  }
  const long taps = layer->kernel_height * layer->kernel_width;
  const long inputs = layer->inputs, outputs = layer->outputs, count = taps * inputs * outputs;
  float *weights = kernel_allocate(count), *flipped = kernel_allocate(count);
  unpack_filters(layer, packed, weights);
  for (long c = 0; c < inputs; c++)
    for (long tap = 0; tap < taps; tap++)
      for (long o = 0; o < outputs; o++)
        flipped[(c * outputs + o) * taps + tap] = weights[(o * taps + taps - 1 - tap) * inputs + c];
  kernel_convolution_pack(&back, (KernelStored){flipped, KernelFloat32}, transposed);
  kernel_release(weights, count);
  kernel_release(flipped, count);
}

typedef struct Spreading {
  const float *x;
  float *y;
  long height, width, channels, stride;
} Spreading;
static void spread_sample(void *context, long sample) {
  const Spreading *s = context;
  const long rows = (s->height - 1) * s->stride + 1, columns = (s->width - 1) * s->stride + 1;
  float *y = s->y + sample * rows * columns * s->channels;
  const float *x = s->x + sample * s->height * s->width * s->channels;
  memset(y, 0, (size_t)(rows * columns * s->channels) * sizeof(float));
  for (long h = 0; h < s->height; h++)
    for (long w = 0; w < s->width; w++)
      memcpy(
          y + (h * columns + w) * s->stride * s->channels, x + (h * s->width + w) * s->channels,
          (size_t)s->channels * sizeof(float));
}
void kernel_spread(
    const float *x, long batch, long height, long width, long channels, long stride, float *y) {
  Spreading s = {x, y, height, width, channels, stride};
  kernel_parallel(batch, spread_sample, &s);
}

typedef struct Gathering {
  const float *dy;
  float *dx;
  const long *rows, *columns;
  long height, width, channels, source_height, source_width;
} Gathering;
static void gather_sample(void *context, long sample) {
  const Gathering *g = context;
  const float *dy = g->dy + sample * g->height * g->width * g->channels;
  float *dx = g->dx + sample * g->source_height * g->source_width * g->channels;
  memset(
      dx, 0, (size_t)(g->source_height * g->source_width * g->channels) * sizeof(float));
  for (long h = 0; h < g->height; h++)
    for (long w = 0; w < g->width; w++) {
      float *to = dx + (g->rows[h] * g->source_width + g->columns[w]) * g->channels;
      const float *from = dy + (h * g->width + w) * g->channels;
      for (long c = 0; c < g->channels; c++) to[c] += from[c];
    }
}
void kernel_nearest_gradient(
    const float *dy, long batch, long height, long width, long channels, const long *rows,
    const long *columns, long source_height, long source_width, float *dx) {
  Gathering g = {dy, dx, rows, columns, height, width, channels, source_height, source_width};
  kernel_parallel(batch, gather_sample, &g);
}
