// Cutting of the gradients of norms, activations and attention, as the operations themselves are.
#include "include/gradients.h"

#include <string.h>

#include "norms.h"
#include "table.h"

enum { PerUnit = 1 << 15, RowsPerUnit = 64, QueryBlock = 32 };

// ---- Group norm -------------------------------------------------------------------------------

typedef struct GroupGradient {
  const KernelGroupNormGradient *gradient;
  const Grouping *grouping;
  double *sums;   // [batch][chunks][2][channels]: of dz, of dz · x
  float *tables;  // [batch][2][channels]: slope, offset
} GroupGradient;

static void slope_chunk(void *context, long unit) {
  const GroupGradient *g = context;
  const KernelGroupNorm *n = &g->gradient->norm;
  const Chunk chunk = norm_chunk(g->grouping, unit);
  const float *scale = g->grouping->tables + chunk.sample * 2 * n->channels;
  double *sums = g->sums + unit * 2 * n->channels;
  kernel_table()->normalised_slope(
      n->activation, n->x + chunk.offset, g->gradient->dy + chunk.offset, chunk.positions,
      n->channels, scale, scale + n->channels, g->gradient->dx + chunk.offset, sums,
      sums + n->channels);
}

// With n = (x − mean) / deviation and dz behind the weights w, of a group of N elements:
// dx = w dz / deviation − (Σ w dz / N + n Σ w dz n / N) / deviation.
static void fill_slopes(const GroupGradient *g, long sample) {
  const KernelGroupNorm *n = &g->gradient->norm;
  const long width = n->channels / n->groups, chunks = g->grouping->chunks;
  float *slope = g->tables + sample * 2 * n->channels, *offset = slope + n->channels;
  for (long group = 0; group < n->groups; group++) {
    const GroupStatistics s = group_statistics(g->grouping, sample, group);
    double sum = 0, product = 0;
    for (long chunk = 0; chunk < chunks; chunk++) {
      const double *sums = g->sums + (sample * chunks + chunk) * 2 * n->channels;
      for (long c = group * width; c < (group + 1) * width; c++) {
        sum = __builtin_fma(n->weight[c], sums[c], sum);
        product = __builtin_fma(n->weight[c], sums[n->channels + c], product);
      }
    }
    const double count = (double)(n->positions * width), inverse = s.inverse;
    const double centred = __builtin_fma(-s.mean, sum, product) * inverse * inverse / count;
    const double factor = -inverse * centred;
    for (long c = group * width; c < (group + 1) * width; c++) {
      slope[c] = (float)factor;
      offset[c] = (float)__builtin_fma(-s.mean, factor, -inverse * sum / count);
    }
  }
}

static void combine_chunk(void *context, long unit) {
  const GroupGradient *g = context;
  const KernelGroupNorm *n = &g->gradient->norm;
  const Chunk chunk = norm_chunk(g->grouping, unit);
  const float *scale = g->grouping->tables + chunk.sample * 2 * n->channels;
  const float *slope = g->tables + chunk.sample * 2 * n->channels;
  const float *residual = g->gradient->residual;
  kernel_table()->combine_gradient(
      n->x + chunk.offset, chunk.positions, n->channels, scale, slope, slope + n->channels,
      residual ? residual + chunk.offset : NULL, g->gradient->dx + chunk.offset);
}

void kernel_group_norm_gradient(const KernelGroupNormGradient *gradient) {
  const KernelGroupNorm *norm = &gradient->norm;
  if (norm->batch * norm->positions == 0) return;
  Grouping grouping = norm_grouping(norm);
  const long sums = norm->batch * grouping.chunks * 4 * norm->channels;
  const long tables = norm->batch * 2 * norm->channels;
  GroupGradient g = {gradient, &grouping, (double *)(void *)kernel_allocate(sums),
                     kernel_allocate(tables)};
  kernel_parallel(norm->batch * grouping.chunks, slope_chunk, &g);
  for (long sample = 0; sample < norm->batch; sample++) fill_slopes(&g, sample);
  kernel_parallel(norm->batch * grouping.chunks, combine_chunk, &g);
  kernel_release((float *)(void *)g.sums, sums);
  kernel_release(g.tables, tables);
  norm_grouping_release(&grouping);
}

// ---- Rows and elements ------------------------------------------------------------------------

typedef struct Slopes {
  const float *x, *dy, *weight, *residual;
  float *dx;
  long rows, columns, rows_per_unit;
  float epsilon;
  KernelActivation activation;
} Slopes;

static void layer_norm_unit(void *context, long unit) {
  const Slopes *s = context;
  const long first = unit * s->rows_per_unit, offset = first * s->columns;
  kernel_table()->layer_norm_slope(
      s->x + offset, s->dy + offset, minimum(s->rows_per_unit, s->rows - first), s->columns,
      s->weight, s->epsilon, s->residual ? s->residual + offset : NULL, s->dx + offset);
}
void kernel_layer_norm_gradient(
    const float *x, const float *dy, long rows, long columns, const float *weight, float epsilon,
    const float *residual, float *dx) {
  Slopes s = {x, dy, weight, residual, dx, rows, columns, RowsPerUnit, epsilon, KernelNone};
  kernel_parallel((rows + RowsPerUnit - 1) / RowsPerUnit, layer_norm_unit, &s);
}

static void activation_unit(void *context, long unit) {
  const Slopes *s = context;
  const long first = unit * PerUnit;
  kernel_table()->activation_slope(
      s->activation, s->x + first, s->dy + first, minimum(PerUnit, s->rows - first),
      s->dx + first);
}
void kernel_activation_gradient(
    KernelActivation activation, const float *x, const float *dy, long count, float *dx) {
  Slopes s = {.x = x, .dy = dy, .dx = dx, .rows = count, .activation = activation};
  kernel_parallel((count + PerUnit - 1) / PerUnit, activation_unit, &s);
}

static void gated_unit(void *context, long unit) {
  const Slopes *s = context;
  const long first = unit * s->rows_per_unit, n = s->columns;
  kernel_table()->gated_gelu_slope(
      s->x + first * 2 * n, s->dy + first * n, minimum(s->rows_per_unit, s->rows - first), n,
      s->dx + first * 2 * n);
}
void kernel_gated_gelu_gradient(const float *x, const float *dy, long rows, long n, float *dx) {
  if (n == 0) return;
  Slopes s = {.x = x, .dy = dy, .dx = dx, .rows = rows, .columns = n,
              .rows_per_unit = 1 + PerUnit / n};
  kernel_parallel((rows + s.rows_per_unit - 1) / s.rows_per_unit, gated_unit, &s);
}

// ---- Attention --------------------------------------------------------------------------------

static void copy_rows(
    const float *from, long rows, long width, long padded, float *to, long stride) {
  for (long r = 0; r < rows; r++)
    memcpy(to + r * stride, from + r * padded, (size_t)width * sizeof(float));
}

static void attention_unit(void *context, long pair) {
  const KernelAttentionGradient *gradient = context;
  const KernelAttention *g = &gradient->attention;
  const long stride = g->heads * g->width, padded = (g->width + 15) / 16 * 16;
  const long sample = pair / g->heads, head = pair % g->heads;
  const long place = sample * g->keys * stride + head * g->width;
  float *transposed = kernel_scratch(ScratchValues, g->width * g->keys);
  for (long key = 0; key < g->keys; key++)
    for (long i = 0; i < g->width; i++)
      transposed[i * g->keys + key] = g->k[place + key * stride + i];
  float *dk = kernel_scratch(ScratchColumns, 2 * g->keys * padded), *dv = dk + g->keys * padded;
  const long block = 3 * g->width + 2 * g->keys + 2 * padded;
  float *scratch = kernel_scratch(ScratchAttention, block * QueryBlock);
  for (long query = 0; query < g->queries; query += QueryBlock)
    kernel_table()->attend_gradient(
        gradient, sample, head, query, transposed, dk, dv, scratch);
  // The queries were scaled when they were packed, so that dK is complete.
  copy_rows(dk, g->keys, g->width, padded, gradient->dk + place, stride);
  copy_rows(dv, g->keys, g->width, padded, gradient->dv + place, stride);
}

void kernel_attention_gradient(const KernelAttentionGradient *gradient) {
  const KernelAttention *g = &gradient->attention;
  if (g->queries == 0 || g->keys == 0) return;
  KernelAttentionGradient copy = *gradient;
  kernel_parallel(g->batch * g->heads, attention_unit, &copy);
}
