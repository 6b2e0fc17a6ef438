// Cutting of normalisations.
#include <string.h>

#include "norms.h"
#include "table.h"

enum { PositionsPerChunk = 1024, RowsPerUnit = 64 };

Chunk norm_chunk(const Grouping *g, long unit) {
  const KernelGroupNorm *n = g->norm;
  const long sample = unit / g->chunks, first = unit % g->chunks * PositionsPerChunk;
  return (Chunk){
      sample, (sample * n->positions + first) * n->channels,
      minimum(PositionsPerChunk, n->positions - first)};
}

static void sum_chunk(void *context, long unit) {
  const Grouping *g = context;
  const KernelGroupNorm *n = g->norm;
  const Chunk chunk = norm_chunk(g, unit);
  double *sums = g->sums + unit * 2 * n->channels;
  memset(sums, 0, (size_t)(2 * n->channels) * sizeof(double));
  kernel_table()->group_sums(
      n->x + chunk.offset, chunk.positions, n->channels, sums, sums + n->channels);
}

// Sums of a group: chunks in order, then channels in order.
GroupStatistics group_statistics(const Grouping *g, long sample, long group) {
  const KernelGroupNorm *n = g->norm;
  const long width = n->channels / n->groups;
  double sum = 0, square = 0;
  for (long chunk = 0; chunk < g->chunks; chunk++) {
    const double *sums = g->sums + (sample * g->chunks + chunk) * 2 * n->channels;
    for (long c = group * width; c < (group + 1) * width; c++) {
      sum += sums[c];
      square += sums[n->channels + c];
    }
  }
  const double count = (double)(n->positions * width);
  const double mean = sum / count;
  double variance = __builtin_fma(-mean, mean, square / count);
  if (variance < 0) variance = 0;
  return (GroupStatistics){mean, 1.0 / __builtin_sqrt(variance + (double)n->epsilon)};
}

static void fill_tables(const Grouping *g, long sample) {
  const KernelGroupNorm *n = g->norm;
  const long width = n->channels / n->groups;
  float *scale = g->tables + sample * 2 * n->channels, *shift = scale + n->channels;
  for (long group = 0; group < n->groups; group++) {
    const GroupStatistics s = group_statistics(g, sample, group);
    for (long c = group * width; c < (group + 1) * width; c++) {
      const double factor = s.inverse * (double)n->weight[c];
      scale[c] = (float)factor;
      shift[c] = (float)__builtin_fma(-s.mean, factor, (double)n->bias[c]);
    }
  }
}

Grouping norm_grouping(const KernelGroupNorm *norm) {
  const long chunks = (norm->positions + PositionsPerChunk - 1) / PositionsPerChunk;
  Grouping g = {norm, chunks, NULL, NULL};
  g.sums = (double *)(void *)kernel_allocate(norm->batch * chunks * 4 * norm->channels);
  g.tables = kernel_allocate(norm->batch * 2 * norm->channels);
  kernel_parallel(norm->batch * chunks, sum_chunk, &g);
  for (long sample = 0; sample < norm->batch; sample++) fill_tables(&g, sample);
  return g;
}

void norm_grouping_release(Grouping *g) {
  const KernelGroupNorm *norm = g->norm;
  kernel_release((float *)(void *)g->sums, norm->batch * g->chunks * 4 * norm->channels);
  kernel_release(g->tables, norm->batch * 2 * norm->channels);
}

static void shift_chunk(void *context, long unit) {
  const Grouping *g = context;
  const KernelGroupNorm *n = g->norm;
  const Chunk chunk = norm_chunk(g, unit);
  const float *scale = g->tables + chunk.sample * 2 * n->channels;
  kernel_table()->scale_and_shift(
      n->x + chunk.offset, chunk.positions, n->channels, scale, scale + n->channels,
      n->activation, n->y + chunk.offset);
}

void kernel_group_norm(const KernelGroupNorm *norm) {
  if (norm->batch * norm->positions == 0) return;
  Grouping g = norm_grouping(norm);
  kernel_parallel(norm->batch * g.chunks, shift_chunk, &g);
  norm_grouping_release(&g);
}

typedef struct Rows {
  const float *x, *weight, *bias;
  float *y;
  long rows, columns;
  float epsilon;
} Rows;

static void layer_norm_unit(void *context, long unit) {
  const Rows *r = context;
  const long first = unit * RowsPerUnit, offset = first * r->columns;
  kernel_table()->layer_norm(
      r->x + offset, minimum(RowsPerUnit, r->rows - first), r->columns, r->weight, r->bias,
      r->epsilon, r->y + offset);
}
void kernel_layer_norm(
    const float *x, long rows, long columns, const float *weight, const float *bias, float epsilon,
    float *y) {
  Rows r = {x, weight, bias, y, rows, columns, epsilon};
  kernel_parallel((rows + RowsPerUnit - 1) / RowsPerUnit, layer_norm_unit, &r);
}

static void softmax_unit(void *context, long unit) {
  const Rows *r = context;
  const long first = unit * RowsPerUnit, offset = first * r->columns;
  kernel_table()->softmax(
      r->x + offset, minimum(RowsPerUnit, r->rows - first), r->columns, r->y + offset);
}
void kernel_softmax(const float *x, long rows, long columns, float *y) {
  Rows r = {x, 0, 0, y, rows, columns, 0};
  kernel_parallel((rows + RowsPerUnit - 1) / RowsPerUnit, softmax_unit, &r);
}
