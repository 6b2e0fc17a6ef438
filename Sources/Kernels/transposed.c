// What the gradient of a convolution needs beside the convolution itself: filters the other way
// round, outputs spread by the stride, sums over the pixels of an enlargement.
#include <string.h>

#include "include/gradients.h"
#include "table.h"

ConvolutionLayer kernel_convolution_transposed(const ConvolutionLayer *layer) {
  ConvolutionLayer back = *layer;
  back.inputs = layer->outputs;
  back.outputs = layer->inputs;
  back.stride = 1;
  back.bfloat16 = false;
  back.format = KernelFloat32;
  back.positions = layer->positions * layer->stride * layer->stride;
  return back;
}

void kernel_transpose_filters(
    const float *filters, long outputs, long inputs, long taps, float *turned) {
  for (long c = 0; c < inputs; c++)
    for (long o = 0; o < outputs; o++)
      for (long tap = 0; tap < taps; tap++)
        turned[(c * outputs + o) * taps + tap] = filters[(o * inputs + c) * taps + taps - 1 - tap];
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
